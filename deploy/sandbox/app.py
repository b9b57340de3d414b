"""The sandbox's addresses: its first page, its health, and those of whom it plays."""

from aiohttp import web

from deploy.sandbox import control, control_page, counter, issuer_pages, pages
from deploy.sandbox.bank import BANK, Bank
from deploy.sandbox.ecpay.api import GATE
from deploy.sandbox.ecpay.gate import Gate
from deploy.sandbox.issuer import Issuer
from deploy.sandbox.providers import PROVIDERS

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(*, bank: Bank | None = None, issuer: Issuer | None = None) -> web.Application:
    """Build the sandbox: payment providers if there is a bank, Google if there is an issuer."""
    app = web.Application()
    app.add_routes([web.get("/", first_page), web.get("/healthz", healthz), *pages.ROUTES])
    if bank is not None:
        app[BANK] = bank
        app[GATE] = Gate(bank.rules.most_queries_a_minute, bank.rules.shut_out_seconds)
        for provider in PROVIDERS:
            app.add_routes(provider.routes)
        app.add_routes([*counter.ROUTES, *control.ROUTES, *control_page.ROUTES])
        app.on_startup.append(bank.open)
        app.on_shutdown.append(bank.stop_waiting)
        app.on_cleanup.append(bank.close)
    if issuer is not None:
        app[issuer_pages.ISSUER] = issuer
        app[issuer_pages.PEOPLE] = list(issuer_pages.FIRST_PEOPLE)
        app.add_routes(issuer_pages.ROUTES)
    app.on_response_prepare.append(add_headers)
    return app


async def first_page(request: web.Request) -> web.Response:
    return pages.page(
        "first_page.html",
        providers=PROVIDERS if BANK in request.app else (),
        has_issuer=issuer_pages.ISSUER in request.app,
    )


async def healthz(request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "examhall-sandbox"
