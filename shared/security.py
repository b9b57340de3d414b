"""What every answer carries, whatever was asked for."""

from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import hdrs, web
from multidict import istr

# Enough for any form of ours; an audience that takes files says so. See web.Audience.
BODY_LIMIT = 64 * 1024

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # Pages are personal unless their handler says otherwise.
    "Cache-Control": "no-store",
}
HSTS = "max-age=31536000; includeSubDomains"


def add_headers(*, is_https: bool) -> Callable[..., Coroutine[Any, Any, None]]:
    """Make the signal `on_response_prepare` that adds what a handler did not set itself."""
    chosen = HEADERS | ({"Strict-Transport-Security": HSTS} if is_https else {})
    # Names that are known already are not read anew for every answer.
    headers = [(istr(name), value) for name, value in chosen.items()]

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        given = response.headers
        for name, value in headers:
            given.setdefault(name, value)
        given[hdrs.SERVER] = "examhall"  # not which versions of what we run on

    return add
