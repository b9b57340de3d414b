"""One's own order: what is owed, until when, how it stands, and what one can do now."""

from aiohttp import hdrs, web

from services.payments import application_book, attempt_book, money_book, order_book, refund_book
from services.payments.application_book import Application
from services.payments.order_book import Item, Order
from services.payments.pages import outlook, own
from services.payments.pages.attempts import Choice, list_offered
from services.payments.refund_book import Refund
from services.payments.rules import apply_by, refundable, route_of
from shared.calendar_file import deadline_file
from shared.codes import qr
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.forms import Form
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render, translate

NOTICES = {
    "payee": mark("We know now where to send the money."),
    "applied": mark("Your application was sent. We write to you when it is decided."),
}


async def show_order(request: web.Request) -> web.Response:
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        order = await own.load(tx, request)
        items = await order_book.list_items(tx, order_id=order.id)
        tried = await attempt_book.list_of_order(tx, order_id=order.id)
        refunds = await refund_book.list_of_order(tx, order_id=order.id)
        surplus = await money_book.list_undecided(tx, order_id=order.id)
        applications = await application_book.list_of_order(tx, order_id=order.id)
    stands = outlook.find(order, tried, now=now)
    paying = stands.attempt
    return render(
        request,
        "candidate/show_order.html",
        order=order,
        items=items,
        outlook=stands,
        offered=list_offered(request, order),
        form=Form.blank(Choice),
        refunds=[
            (refund, _wants_payee(refund), refundable(refund.captured_twd, refund.reason) > 0)
            for refund in refunds
            if not refund.is_undecided
        ],
        surplus=surplus,
        applications=applications,
        applicable=_find_applicable(request, order, items, applications),
        qr=qr(paying.instructions["web"]) if paying and stands.phase == "line_pay" else None,
        pay_until=own.pay_until,
        now=now,
        zone=own.ZONE,
        notice=next((NOTICES[name] for name in request.query if name in NOTICES), None),
    )


def _wants_payee(refund: Refund) -> bool:
    """Whether finance has to be told where to send it."""
    is_by_hand = (refund.route or route_of(refund.method)) == "payee"
    return is_by_hand and refund.state != "completed"


def _find_applicable(
    request: web.Request, order: Order, items: list[Item], applications: list[Application]
) -> list[Item]:
    """Find what its candidate may still apply to have paid back."""
    pending = {each.registration_id for each in applications if each.state != "refused"}
    return [
        item
        for item in items
        if order.state in {"paid", "partly_refunded"}
        and item.amount_twd
        and item.registration_id not in pending
        and request[ARRIVED_AT] < apply_by(item.exam_date, own.ZONE)
    ]


async def download_deadline(request: web.Request) -> web.Response:
    """A calendar file of the deadline of what is still to be paid."""
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        order = await own.load(tx, request)
    if not order.is_payable(now=now):
        raise NoSuchPage
    site = request.app[SETTINGS].public_url
    title = translate(request, mark("Pay the registration fee: {title}"))
    text = translate(request, mark("Reference number: {reference}"))
    content = deadline_file(
        uid=f"pay-{order.id}@{site.host}",
        title=title.format(title=order.titles.get(language_of(request), order.reference)),
        text=text.format(reference=order.reference),
        deadline=order.pay_by,
        url=f"{str(site).rstrip('/')}{own.address(order)}",
        now=now,
    )
    return web.Response(
        body=content,
        content_type="text/calendar",
        charset="utf-8",
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{order.reference}.ics"'},
    )


ROUTES = [
    web.get("/{order_id}", show_order),
    web.get("/{order_id}/deadline.ics", download_deadline),
]
