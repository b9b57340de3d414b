"""Refusals and errors become pages for people and problem documents for machines."""

from collections.abc import Awaitable, Mapping
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, Field

from shared import db
from shared.errors import Busy, NoSuchPage, NotAllowed, Refused, WrongFields
from shared.observe import REQUEST_ID
from shared.templates import render
from shared.unreadable import is_unreadable

log = structlog.get_logger()

# Set on the sub-applications whose callers are programs.
FOR_MACHINES = web.AppKey("for_machines", bool)
PROBLEM_TYPE = "application/problem+json"
NONE: Mapping[str, str] = {}


class Problem(BaseModel):
    """A problem document as in RFC 9457."""

    title: str = Field(description="What is wrong, in a name that does not change.")
    status: int = Field(description="The status of the answer, once more.")
    instance: str = Field(description="The number under which our log has more about it.")
    detail: str = Field("", description="The same in a sentence, where there is more to say.")
    errors: dict[str, str] = Field({}, description="What is wrong with which field.")


@web.middleware
def show_problems_at_root(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """Do the same for addresses that lead nowhere; a service shows its own problems."""
    is_of_service = len(request.match_info.apps) > 1
    return handler(request) if is_of_service else show_problems(request, handler)


@web.middleware
async def show_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a page or a document whatever goes wrong; never with a trace."""
    try:
        return await handler(request)
    except Refused as refusal:
        return show_refusal(request, refusal)
    except web.HTTPNotFound:
        return show_refusal(request, NoSuchPage())
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        response = _show_status(request, answer.status)
        if hdrs.ALLOW in answer.headers:
            response.headers[hdrs.ALLOW] = answer.headers[hdrs.ALLOW]
        return response
    except Exception as error:
        if is_unreadable(error):
            return _show_status(request, HTTPStatus.BAD_REQUEST)
        if db.is_unavailable(error):
            log.error("database unavailable", error=repr(error))
            return show_refusal(request, Busy())
        if isinstance(error, db.NO_TEXT):
            return show_refusal(request, NoSuchPage())
        log.exception("request failed")
        return _show_status(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def show_refusal(request: web.Request, refusal: Refused) -> web.Response:
    if request.app.get(FOR_MACHINES):
        response = _problem(
            request,
            refusal.status,
            type(refusal).__name__,
            refusal.sentence,
            errors=refusal.errors if isinstance(refusal, WrongFields) else {},
        )
    elif isinstance(refusal, NoSuchPage | Busy):
        response = _show_status(request, refusal.status)
    else:
        template = "not_allowed.html" if isinstance(refusal, NotAllowed) else "refused.html"
        response = render(request, template, status=refusal.status, refusal=refusal)
    if refusal.retry_after_seconds is not None:
        response.headers[hdrs.RETRY_AFTER] = str(refusal.retry_after_seconds)
    return response


def _show_status(request: web.Request, status: int) -> web.Response:
    if request.app.get(FOR_MACHINES):
        return _problem(request, status, HTTPStatus(status).phrase, "")
    reference = request[REQUEST_ID]
    return render(request, "problem.html", status=status, reference=reference)


def _problem(
    request: web.Request, status: int, title: str, detail: str, *, errors: Mapping[str, str] = NONE
) -> web.Response:
    problem = Problem(
        title=title,
        status=status,
        instance=f"urn:request:{request[REQUEST_ID]}",
        detail=detail,
        errors=dict(errors),
    )
    response = web.json_response(
        text=problem.model_dump_json(exclude_defaults=True),
        status=status,
        content_type=PROBLEM_TYPE,
    )
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return response
