"""Refunds, for finance: what is to be done in each state, and one with all that is known of it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, BaseModel

from services.payments import money_lists, refund_lists, rules
from services.payments.refund_lists import REASONS, STATES
from services.payments.refund_lists import ROUTES as WAYS
from services.payments.staff import asked
from services.payments.staff.asked import SHOWN, Note
from shared import audit
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

ACTS_SHOWN = 100
NUMBER = mark("Enter the number that is printed on the money order: 6 to 20 letters and digits")


def _money_order_number(text: str) -> str:
    number = "".join(text.split()).replace("-", "").upper()
    if not number.isascii() or not number.isalnum() or not 6 <= len(number) <= 20:
        raise ValueError(NUMBER)
    return number


class SendingBack(BaseModel):
    """Why a proposal is not followed."""

    words: Note


class PaidByHand(BaseModel):
    """The money order with which a refund was paid."""

    number: Annotated[str, Says(NUMBER), AfterValidator(_money_order_number)]
    paid_on: Annotated[
        date,
        Says(
            mark("Enter the day on which the money order was sent"),
            mark("This is no day of the calendar"),
        ),
    ]


class Finding(BaseModel):
    """What somebody found out at a provider that cannot be asked."""

    happened: Annotated[Literal["yes", "no"], Says(mark("Choose what you found out"))]


FORMS: Mapping[str, type[BaseModel]] = {
    "sending_back": SendingBack,
    "paid_by_hand": PaidByHand,
    "finding": Finding,
}


async def list_refunds(request: web.Request) -> web.Response:
    state = asked.choice(request.query.get("state", ""), STATES, otherwise="due")
    way = asked.choice(request.query.get("way", ""), WAYS)
    async with transaction(request.app[POOL]) as tx:
        found = await refund_lists.list_(
            tx, state=state, route=way, limit=SHOWN + 1, after=asked.after(request)
        )
        counts = await refund_lists.count_states(tx)
    return render(
        request,
        "staff/list_refunds.html",
        state=state,
        way=way,
        states=STATES,
        ways=WAYS,
        reasons=REASONS,
        methods=money_lists.METHODS,
        counts=counts,
        refunds=found[:SHOWN],
        has_more=len(found) > SHOWN,
        can_act=asked.can_act(request),
        now=request[ARRIVED_AT],
        zone=request.app[SETTINGS].time_zone,
    )


async def show_refund(request: web.Request) -> web.Response:
    return await show(request, asked.named(request, "refund_id"))


async def show(request: web.Request, refund_id: UUID, **forms: Form[Any]) -> web.Response:
    """Show a refund; a form in which something is wrong is shown as it was typed."""
    async with transaction(request.app[POOL]) as tx:
        listed = await refund_lists.load(tx, refund_id=refund_id)
        money = await money_lists.load(tx, capture_id=listed.refund.capture_id)
        acts = await audit.list_about(tx, subjects=[f"refund {refund_id}"], limit=ACTS_SHOWN)
    wrong = next(iter(forms.values()), None)
    return render(
        request,
        "staff/show_refund.html",
        status=422 if wrong else 200,
        listed=listed,
        refund=listed.refund,
        money=money,
        acts=acts,
        forms={name: Form.blank(model) for name, model in FORMS.items()} | forms,
        wrong=wrong,
        usual_way=rules.route_of(listed.refund.method),
        me=request[PRINCIPAL].id,
        can_act=asked.can_act(request),
        states=STATES,
        ways=WAYS,
        reasons=REASONS,
        kinds=money_lists.KINDS,
        methods=money_lists.METHODS,
        done=request.query.get("done", ""),
        now=request[ARRIVED_AT],
        zone=request.app[SETTINGS].time_zone,
    )


ROUTES = [
    web.get("/refunds", list_refunds),
    web.get("/refunds/{refund_id}", show_refund),
]
