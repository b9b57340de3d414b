"""Choosing a way to pay, or another, and going to the cashier where one pays."""

from typing import Annotated

from aiohttp import hdrs, web
from pydantic import BaseModel
from yarl import URL

from services.payments.attempts import MethodNotOffered, TooManyAttempts
from services.payments.cashier import CASHIER, Opened, ProviderAway
from services.payments.methods import Asked
from services.payments.methods import Form as SignedForm
from services.payments.order_book import Order
from services.payments.orders import OrderClosed
from services.payments.pages import own
from services.payments.pages.outlook import CASHIER_TAKES
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.errors import Refused
from shared.forms import Form, Says
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.security import CONTENT_SECURITY_POLICY
from shared.templates import render

NOT_OFFERED = mark("This way to pay is not offered here. Choose another")


class Choice(BaseModel):
    """A way to pay."""

    way: Annotated[str, Says(mark("Choose a way to pay"))]


def list_offered(request: web.Request, order: Order) -> list[str]:
    """List the ways in which an order can be paid, as forms name them."""
    ways = request.app[CASHIER].ways
    return [
        f"{method}/{variant}" if variant else method
        for method in ways
        if method in order.methods
        for variant in ways[method].variants
        if ways[method].takes(order.amount_twd, variant)
    ]


async def choose_way(request: web.Request) -> web.Response:
    return await _ask(request, Form.blank(Choice))


async def _ask(request: web.Request, form: Form[Choice], *, status: int = 200) -> web.Response:
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        order = await own.load(tx, request)
    if not order.is_payable(now=now):
        raise web.HTTPSeeOther(own.address(order))
    return render(
        request,
        "candidate/choose_way.html",
        status=status,
        order=order,
        offered=list_offered(request, order),
        form=form,
        zone=own.ZONE,
    )


async def begin(request: web.Request) -> web.Response:
    """Begin to pay in the way that was chosen. A second click begins what nobody has to finish."""
    form = Form.read(Choice, await request.post())
    if form.value is None:
        return await _ask(request, form, status=422)
    async with transaction(request.app[POOL]) as tx:
        order = await own.load(tx, request)
    if form.value.way not in list_offered(request, order):
        form.add_error("way", NOT_OFFERED)
        return await _ask(request, form, status=422)
    try:
        opened = await _open(request, order, form.value.way)
    except OrderClosed:
        raise web.HTTPSeeOther(own.address(order)) from None  # its page says why
    except (MethodNotOffered, TooManyAttempts, ProviderAway) as refusal:
        return await _refuse(request, form, refusal)
    page = f"/attempts/{opened.attempt.id}" if isinstance(opened.page, SignedForm) else ""
    raise web.HTTPSeeOther(own.address(order, page))


async def _open(request: web.Request, order: Order, way: str) -> Opened:
    method, _, variant = way.partition("/")
    return await request.app[CASHIER].begin(
        request.app[POOL],
        order_id=order.id,
        account_id=request[PRINCIPAL].id,
        method=method,
        variant=variant,
        language=language_of(request),
        now=request[ARRIVED_AT],
    )


async def _refuse(request: web.Request, form: Form[Choice], refusal: Refused) -> web.Response:
    """Show the choice again: another way may do."""
    form.add_error("way", refusal.sentence)
    response = await _ask(request, form, status=refusal.status)
    if refusal.retry_after_seconds is not None:
        response.headers[hdrs.RETRY_AFTER] = str(refusal.retry_after_seconds)
    return response


async def go_to_cashier(request: web.Request) -> web.Response:
    """A form that takes the browser to the cashier: the only page that may lead there.

    It is signed anew each time, to the same words; an attempt that is over leads to its order.
    """
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        order, attempt = await own.load_attempt(tx, request)
    way = request.app[CASHIER].ways.get(attempt.method)
    is_new = attempt.state == "created" and now < attempt.created_at + CASHIER_TAKES
    if way is None or way.provider != "ecpay" or not is_new or not order.is_payable(now=now):
        raise web.HTTPSeeOther(own.address(order))
    asked = Asked(
        order_id=order.id,
        trade_number=attempt.trade_number,
        variant=attempt.variant,
        amount_twd=attempt.amount_twd,
        language=language_of(request),
        pay_by=order.pay_by,
        now=attempt.created_at,
    )
    begun = await way.begin(asked)
    assert isinstance(begun.page, SignedForm)
    response = render(
        request,
        "candidate/go_to_cashier.html",
        order=order,
        attempt=attempt,
        signed=begun.page,
    )
    ours = "form-action 'self'"
    theirs = URL(begun.page.action).origin()
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        ours, f"{ours} {theirs}"
    )
    return response


ROUTES = [
    web.get("/{order_id}/ways", choose_way),
    web.post("/{order_id}/attempts", begin),
    web.get("/{order_id}/attempts/{attempt_id}", go_to_cashier),
]
