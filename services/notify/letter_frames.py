"""Letters shown inside pages: each in a frame, at its own address, behind its own policy."""

from aiohttp import web

from shared.security import CONTENT_SECURITY_POLICY

# A letter may style itself and open links elsewhere; it runs nothing and fetches nothing.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
FRAMING_POLICY = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"


def frame(page: web.Response) -> web.Response:
    """Let a page hold a letter in a frame."""
    page.headers["Content-Security-Policy"] = FRAMING_POLICY
    return page


def show_safely(html: str) -> web.Response:
    """Answer with a letter as its recipient sees it."""
    return web.Response(
        text=html,
        content_type="text/html",
        headers={
            "Content-Security-Policy": LETTER_POLICY,
            "Cross-Origin-Opener-Policy": "unsafe-none",
        },
    )
