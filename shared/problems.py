"""Refusals and errors become pages for people and problem documents for machines."""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from shared import db
from shared.errors import Busy, NoSuchPage, Refused
from shared.observe import REQUEST_ID
from shared.templates import render

log = structlog.get_logger()

# Set on the sub-applications whose callers are programs.
FOR_MACHINES = web.AppKey("for_machines", bool)


@web.middleware
async def show_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refusal:
        return show_refusal(request, refusal)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        if answer.status == 404:
            return show_refusal(request, NoSuchPage())
        return _show_status(request, answer.status, answer.headers)
    except Exception as error:
        if db.is_unavailable(error):
            log.error("database unavailable", error=repr(error))
            return show_refusal(request, Busy())
        log.exception("request failed")
        return _show_status(request, 500, {})


def show_refusal(request: web.Request, refusal: Refused) -> web.Response:
    if request.config_dict.get(FOR_MACHINES):
        response = _problem(request, refusal.status, type(refusal).__name__, refusal.sentence)
    else:
        response = render(request, "refused.html", status=refusal.status, refusal=refusal)
    if refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def _show_status(
    request: web.Request, status: int, headers: "dict[str, str] | object"
) -> web.Response:
    if request.config_dict.get(FOR_MACHINES):
        return _problem(request, status, "", "")
    return render(
        request, "problem.html", status=status, problem=status, reference=request[REQUEST_ID]
    )


def _problem(request: web.Request, status: int, kind: str, detail: str) -> web.Response:
    """A problem document as in RFC 9457."""
    document = {
        "type": "about:blank",
        "title": kind or web.HTTPException.__name__,
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{request[REQUEST_ID]}",
    }
    return web.json_response(document, status=status, content_type="application/problem+json")
