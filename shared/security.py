"""What every answer carries, whatever was asked for."""

from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

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
    headers = HEADERS | ({"Strict-Transport-Security": HSTS} if is_https else {})

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = "examhall"  # not which versions of what we run on

    return add
