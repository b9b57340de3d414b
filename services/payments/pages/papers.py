"""Papers: the slip that a store's till reads, and the receipt of what was paid."""

from aiohttp import hdrs, web

from services.payments import money_book, order_book, slip
from services.payments.attempt_book import Attempt
from services.payments.order_book import Item, Order
from services.payments.pages import own
from shared.auth import PRINCIPAL
from shared.codes import code39
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.i18n import day, deadline, language_of, mark, moment, money
from shared.observe import ARRIVED_AT
from shared.pdf import Pdf
from shared.templates import translate

PAPERS = web.AppKey("papers", Pdf)

# A Code 39 sign is 16 modules wide; stars stand around the text, and quiet zones around all.
MODULES_OF_A_SIGN, MODULES_AROUND = 16, 2 * 16 + 2 * 10 - 1

METHODS = {
    "convenience_store": mark("Convenience store"),
    "atm": mark("ATM or bank transfer"),
    "card": mark("Card"),
    "line_pay": mark("LINE Pay"),
}


async def download_slip(request: web.Request) -> web.Response:
    """The slip as a PDF, as long as it can be paid with."""
    async with transaction(request.app[POOL]) as tx:
        order, attempt = await own.load_attempt(tx, request)
    segments = [attempt.instructions.get(f"barcode{number}", "") for number in (1, 2, 3)]
    now = request[ARRIVED_AT]
    if not order.is_payable(now=now) or not attempt.is_usable(now=now) or not all(segments):
        raise NoSuchPage
    if not slip.is_slip(*segments):
        raise NoSuchPage
    content = await request.app[PAPERS].render(
        "slip",
        _describe_slip(request, order, attempt, segments),
        title=translate(request, mark("Payment slip {reference}")).format(
            reference=order.reference
        ),
        language=language_of(request),
    )
    return _answer(content, name=f"slip-{order.reference}")


def _describe_slip(
    request: web.Request, order: Order, attempt: Attempt, segments: list[str]
) -> dict[str, object]:
    language = language_of(request)
    until = deadline(own.pay_until(order, attempt), own.ZONE, language)
    return {
        "heading": translate(request, mark("Payment slip for convenience stores")),
        "facts": [
            [translate(request, mark("For")), order.titles.get(language, "")],
            [translate(request, mark("Reference number")), order.reference],
            [translate(request, mark("Amount")), money(order.amount_twd)],
            [translate(request, mark("Pay until")), until],
        ],
        "segments": [
            {
                "text": text,
                "drawing": code39(text),
                "modules": MODULES_OF_A_SIGN * len(text) + MODULES_AROUND,
                "alt": translate(request, mark("Barcode: {text}")).format(text=text),
            }
            for text in segments
        ],
        "notes": [
            translate(request, sentence)
            for sentence in (
                mark(
                    "Show this slip at the till of 7-ELEVEN, FamilyMart, Hi-Life or OK mart. All"
                    " three barcodes are read there."
                ),
                mark("Print it on a laser printer if you can, and do not fold the barcodes."),
                mark("Pay the exact amount, once, and keep the store's receipt."),
                mark(
                    "Stores report slips after up to 3 working days. What counts is when you paid."
                ),
            )
        ],
    }


async def download_receipt(request: web.Request) -> web.Response:
    """The receipt as a PDF, from the moment the payment is known."""
    async with transaction(request.app[POOL]) as tx:
        order = await own.load(tx, request)
        payment = await money_book.find_payment(tx, order_id=order.id)
        items = await order_book.list_items(tx, order_id=order.id)
    if payment is None:
        raise NoSuchPage
    content = await request.app[PAPERS].render(
        "receipt",
        _describe_receipt(request, order, payment, items),
        title=translate(request, mark("Receipt {reference}")).format(reference=order.reference),
        language=language_of(request),
    )
    return _answer(content, name=f"receipt-{order.reference}")


def _describe_receipt(
    request: web.Request, order: Order, payment: money_book.Taken, items: list[Item]
) -> dict[str, object]:
    language = language_of(request)
    facts = [
        [translate(request, mark("Receipt number")), payment.trade_number],
        [translate(request, mark("Reference number")), order.reference],
        [translate(request, mark("Received from")), request[PRINCIPAL].name],
        [translate(request, mark("Paid on")), moment(payment.paid_at, own.ZONE, language)],
        [
            translate(request, mark("Way to pay")),
            translate(request, METHODS.get(payment.method, payment.method)),
        ],
    ]
    totals = [[translate(request, mark("Paid")), money(payment.amount_twd)]]
    if order.refunded_twd:
        totals.append([translate(request, mark("Paid back since")), money(order.refunded_twd)])
    return {
        "heading": translate(request, mark("Receipt for exam registration fees")),
        "facts": facts,
        "columns": [
            translate(request, sentence)
            for sentence in (mark("For"), mark("Exam date"), mark("Registration"), mark("Amount"))
        ],
        "items": [
            [
                item.titles.get(language, ""),
                day(item.exam_date, own.ZONE, language),
                item.reference,
                money(item.amount_twd),
            ]
            for item in items
        ],
        "totals": totals,
        "note": translate(
            request,
            mark("Made out by a computer; it is valid without a seal. Amounts are in NT dollars."),
        ),
    }


def _answer(content: bytes, *, name: str) -> web.Response:
    return web.Response(
        body=content,
        content_type="application/pdf",
        headers={hdrs.CONTENT_DISPOSITION: f'inline; filename="{name}.pdf"'},
    )


ROUTES = [
    web.get("/{order_id}/attempts/{attempt_id}/slip.pdf", download_slip),
    web.get("/{order_id}/receipt.pdf", download_receipt),
]
