"""How the sandbox's pages are drawn, and which forms they accept."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from multidict import MultiDict
from yarl import URL

from deploy.sandbox.clock import in_taipei

HERE = Path(__file__).parent / "templates"
STYLE = (HERE / "style.css").read_text()
SELF = ["'self'"]
WEEKDAYS = "一二三四五六日"


def _day_and_hour(instant: float) -> str:
    at = in_taipei(instant)
    return f"{at:%Y-%m-%d}（{WEEKDAYS[at.weekday()]}）{at:%H:%M:%S}"


TEMPLATES = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
TEMPLATES.filters |= {"at": _day_and_hour, "twd": "NT${:,}".format}


def page(
    template: str, *, status: int = 200, leads_to: Iterable[str] = (), **shown: Any
) -> web.Response:
    """Draw a page; `leads_to` are addresses elsewhere to which its forms' answers may lead."""
    # Browsers hold the address a form's answer leads to against form-action, too.
    origins = sorted({str(URL(address).origin()) for address in leads_to if address})
    policy = (
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        f"form-action {' '.join(SELF + origins)}"
    )
    # The referrer stays among our own pages; without any, browsers hide where a form came from.
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
    text = TEMPLATES.get_template(template).render(**shown)
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def see_other(address: str) -> web.Response:
    """Send the browser on, to a page or back to a shop."""
    return web.Response(status=303, headers={hdrs.LOCATION: address})


async def show_style(request: web.Request) -> web.Response:
    return web.Response(text=STYLE, content_type="text/css")


async def read_form(request: web.Request) -> MultiDict[str]:
    """Read a form of plain answers; files are none."""
    posted = await request.post()
    return MultiDict((name, one) for name, one in posted.items() if isinstance(one, str))


def refuse_other_sites(request: web.Request, ours: str) -> None:
    """Only our own pages may send our forms."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(hdrs.ORIGIN)
    if site != "same-origin" if site is not None else origin != str(URL(ours).origin()):
        raise web.HTTPForbidden


ROUTES = [web.get("/style.css", show_style)]
