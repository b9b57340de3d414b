"""The sandbox's addresses: its first page, its health, and those of whom it plays."""

from collections.abc import Sequence
from html import escape

from aiohttp import web

from deploy.sandbox import issuer_pages
from deploy.sandbox.issuer import Issuer
from deploy.sandbox.providers import PROVIDERS, Provider

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
PAGE = """<!doctype html>
<html lang="zh-Hant-TW">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>金流沙盒 – Payment sandbox</title>
<main>
<section>
<h1>金流沙盒</h1>
<p>這裡模擬金流業者，供試用與測試。這裡不會收取任何款項，也不屬於任何金流業者。</p>
<p>目前模擬的業者：</p>
<ul>{zh}</ul>
{issuer_zh}</section>
<section lang="en">
<h2>Payment sandbox</h2>
<p>This plays the part of payment providers, for trying things out and for tests. No money is
taken here, and it belongs to none of the providers.</p>
<p>Providers it plays:</p>
<ul>{en}</ul>
{issuer_en}</section>
</main>
"""
ISSUER_ZH = '<p>也模擬<a href="/oidc/">「使用 Google 登入」</a>的另一端。</p>\n'
ISSUER_EN = '<p>It plays the other end of <a href="/oidc/">“Sign in with Google”</a>, too.</p>\n'
PROVIDERS_SHOWN = web.AppKey("providers", tuple[Provider, ...])


def create_app(
    providers: Sequence[Provider] = PROVIDERS, *, issuer: Issuer | None = None
) -> web.Application:
    """Build the sandbox with these providers, and perhaps an issuer."""
    app = web.Application()
    app[PROVIDERS_SHOWN] = tuple(providers)
    app.add_routes([web.get("/", first_page), web.get("/healthz", healthz)])
    for provider in providers:
        app.add_routes(provider.routes)
    if issuer is not None:
        app[issuer_pages.ISSUER] = issuer
        app[issuer_pages.PEOPLE] = list(issuer_pages.FIRST_PEOPLE)
        app.add_routes(issuer_pages.ROUTES)
    app.on_response_prepare.append(add_headers)
    return app


async def first_page(request: web.Request) -> web.Response:
    providers = request.app[PROVIDERS_SHOWN]
    zh = _list([provider.name_zh for provider in providers], "還沒有")
    en = _list([provider.name_en for provider in providers], "none yet")
    has_issuer = issuer_pages.ISSUER in request.app
    page = PAGE.format(
        zh=zh,
        en=en,
        issuer_zh=ISSUER_ZH if has_issuer else "",
        issuer_en=ISSUER_EN if has_issuer else "",
    )
    return web.Response(text=page, content_type="text/html", charset="utf-8")


async def healthz(request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "examhall-sandbox"


def _list(names: Sequence[str], when_empty: str) -> str:
    return "".join(f"<li>{escape(name)}</li>" for name in names or [when_empty])
