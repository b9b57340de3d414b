"""What every answer carries, whatever was asked for."""

from aiohttp import web

from shared.settings import SETTINGS

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


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: add what the handler did not set itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.config_dict[SETTINGS].is_https:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    response.headers["Server"] = "examhall"  # not which versions of what we run on
