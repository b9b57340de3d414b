"""One cookie among those a browser sent."""

from aiohttp import hdrs, web


def cookie_of(request: web.BaseRequest, name: str) -> str | None:
    """Find a cookie of ours, which is never quoted, without taking the others apart."""
    for cookie in request.headers.get(hdrs.COOKIE, "").split(";"):
        found, _, value = cookie.strip().partition("=")
        if found == name:
            return value
    return None
