"""Money that nobody owed, for finance: what waits for a decision, and one with its notices."""

from typing import Annotated, Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from services.payments import ledger, masks, money_lists, notices, order_book, refund_lists, rules
from services.payments.staff import asked
from services.payments.staff.asked import SHOWN, Note
from shared import audit
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.settings import SETTINGS
from shared.templates import render

NOTICES_SHOWN = 50
ACTS_SHOWN = 50


class Judgement(BaseModel):
    """What is proposed to become of money nobody owed."""

    choice: Annotated[Literal["refund", "keep"], Says(mark("Choose what becomes of it"))]
    note: Note


class Owner(BaseModel):
    """Whose an orphan is."""

    reference: Annotated[str, Says(mark("Enter the reference number of the order"))]
    why: Note


async def list_money(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        found = await money_lists.list_undecided(tx, limit=SHOWN + 1, after=asked.after(request))
        count = await money_lists.count_undecided(tx)
    return render(
        request,
        "staff/list_money.html",
        money=found[:SHOWN],
        has_more=len(found) > SHOWN,
        count=count,
        kinds=money_lists.KINDS,
        methods=money_lists.METHODS,
        zone=request.app[SETTINGS].time_zone,
    )


async def show_money(request: web.Request) -> web.Response:
    return await show(request, asked.named(request, "capture_id"))


async def show(
    request: web.Request,
    capture_id: UUID,
    *,
    judgement: Form[Any] | None = None,
    owner: Form[Any] | None = None,
) -> web.Response:
    """Show money with all that is known of it, and what can be done."""
    async with transaction(request.app[POOL]) as tx:
        money = await money_lists.load(tx, capture_id=capture_id)
        told = await notices.list_of_trade(tx, trade_number=money.trade_number, limit=NOTICES_SHOWN)
        order = await order_book.load_any(tx, order_id=money.order_id) if money.order_id else None
        entries = await ledger.list_of_capture(tx, capture_id=capture_id, order_id=money.order_id)
        refunds = await refund_lists.list_of_capture(tx, capture_id=capture_id)
        acts = await audit.list_about(tx, subjects=[f"capture {capture_id}"], limit=ACTS_SHOWN)
    wrong = next((form for form in (judgement, owner) if form is not None and form.errors), None)
    return render(
        request,
        "staff/show_money.html",
        status=422 if wrong else 200,
        money=money,
        order=order,
        notices=[(notice, masks.show(notice.fields)) for notice in told],
        entries=entries,
        refunds=refunds,
        acts=acts,
        judgement=judgement or Form.blank(Judgement),
        owner=owner or Form.blank(Owner),
        wrong=wrong,
        back_twd=rules.refundable(money.amount_twd, "orphan"),
        can_act=asked.can_act(request),
        kinds=money_lists.KINDS,
        methods=money_lists.METHODS,
        refund_states=refund_lists.STATES,
        refund_reasons=refund_lists.REASONS,
        done=request.query.get("done", ""),
        zone=request.app[SETTINGS].time_zone,
    )


ROUTES = [
    web.get("/money", list_money),
    web.get("/money/{capture_id}", show_money),
]
