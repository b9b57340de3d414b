"""Orders, for finance: search, one with all its history, take away as a file."""

from collections.abc import Mapping
from datetime import tzinfo

from aiohttp import web

from services.payments import (
    application_book,
    attempt_book,
    ledger,
    masks,
    money_lists,
    notices,
    order_book,
    order_lists,
    refund_lists,
)
from services.payments.order_lists import LONGEST_EXPORT, STATES, Wanted
from services.payments.staff import asked
from services.payments.staff.asked import SHOWN
from shared import audit, exports
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.days import end_of_day, start_of_day
from shared.db import POOL, transaction
from shared.i18n import mark
from shared.settings import SETTINGS
from shared.templates import render, translate

# Of a forger's thousand, these are enough to see what is going on.
NOTICES_SHOWN = 200
ACTS_SHOWN = 200
COLUMNS = (
    mark("Reference number"),
    mark("State"),
    mark("Amount"),
    mark("Opened"),
    mark("Pay by"),
    mark("Paid"),
    mark("Method"),
    mark("Paid back"),
)


async def list_orders(request: web.Request) -> web.Response:
    query = request.query
    wanted = _read_wanted(query, request.app[SETTINGS].time_zone)
    typed = str(query.get("number", "")).strip()
    is_number_wrong = bool(typed) and not wanted.number
    async with transaction(request.app[POOL]) as tx:
        found = (
            []
            if is_number_wrong
            else await order_lists.search(
                tx, wanted=wanted, limit=SHOWN + 1, after=asked.after(request)
            )
        )
        orphans = await money_lists.find_orphans(tx, number=wanted.number)
    return render(
        request,
        "staff/list_orders.html",
        typed={name: query.get(name, "") for name in ("number", "amount", "since", "until")},
        wanted=wanted,
        states=STATES,
        methods=money_lists.METHODS,
        orders=found[:SHOWN],
        has_more=len(found) > SHOWN,
        is_first_page=asked.after(request) is None,
        orphans=orphans,
        zone=request.app[SETTINGS].time_zone,
    )


def _read_wanted(query: "Mapping[str, object]", zone: tzinfo) -> Wanted:
    since, until = asked.day(query.get("since", "")), asked.day(query.get("until", ""))
    return Wanted(
        number=asked.number(query.get("number", "")),
        amount_twd=asked.whole(query.get("amount", "")),
        state=asked.choice(query.get("state", ""), STATES),
        since=start_of_day(since, zone) if since else None,
        until=end_of_day(until, zone) if until else None,
    )


async def export_orders(request: web.Request) -> web.Response:
    wanted = _read_wanted(await request.post(), request.app[SETTINGS].time_zone)
    async with transaction(request.app[POOL]) as tx:
        found = await order_lists.search(tx, wanted=wanted, limit=LONGEST_EXPORT)
        actor, facts = str(request[PRINCIPAL].id), {"count": len(found)}
        await audit.record(tx, [Line(actor, "orders_exported", "orders", facts)])
    words = {name: translate(request, word) for name, word in money_lists.METHODS.items()}
    words |= {name: translate(request, word) for name, word in STATES.items()}
    rows = [
        (
            order.reference,
            words[order.state],
            order.amount_twd,
            order.opened_at,
            order.pay_by,
            order.paid_at,
            words.get(order.paid_method or ""),
            order.refunded_twd,
        )
        for order in found
    ]
    return await exports.answer(request, name="orders", header=COLUMNS, rows=rows)


async def show_order(request: web.Request) -> web.Response:
    """Show all that ever happened to an order, as it was recorded."""
    order_id = asked.named(request, "order_id")
    async with transaction(request.app[POOL]) as tx:
        order = await order_book.load_any(tx, order_id=order_id)
        items = await order_book.list_items(tx, order_id=order_id)
        tried = await attempt_book.list_of_order(tx, order_id=order_id)
        told = await notices.list_of_order(tx, order_id=order_id, limit=NOTICES_SHOWN)
        money = await money_lists.list_of_order(tx, order_id=order_id)
        entries = await ledger.list_of_order(tx, order_id=order_id)
        refunds = await refund_lists.list_of_order(tx, order_id=order_id)
        applications = await application_book.list_of_order(tx, order_id=order_id)
        subjects = [
            f"order {order_id}",
            *(f"attempt {each.id}" for each in tried),
            *(f"trade {each.trade_number}" for each in tried),
            *(f"capture {each.id}" for each in money),
            *(f"refund {each.refund.id}" for each in refunds),
            *(f"application {each.id}" for each in applications),
        ]
        acts = await audit.list_about(tx, subjects=subjects, limit=ACTS_SHOWN)
    return render(
        request,
        "staff/show_order.html",
        order=order,
        items=items,
        attempts=tried,
        notices=[(notice, masks.show(notice.fields)) for notice in told],
        money=money,
        kinds=money_lists.KINDS,
        methods=money_lists.METHODS,
        states=STATES,
        entries=entries,
        refunds=refunds,
        refund_states=refund_lists.STATES,
        refund_reasons=refund_lists.REASONS,
        applications=applications,
        application_states=application_book.STATES,
        acts=acts,
        zone=request.app[SETTINGS].time_zone,
    )


ROUTES = [
    web.get("/orders", list_orders),
    web.post("/orders/exports", export_orders),
    web.get("/orders/{order_id}", show_order),
]
