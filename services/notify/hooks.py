"""For mail servers: what came back. Signed, because a forged report would silence somebody."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Literal

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from services.notify import bounces, letters, rules
from services.notify.bounces import Bounce
from shared import api
from shared.api import Operation
from shared.db import POOL, transaction
from shared.errors import Refused
from shared.observe import ARRIVED_AT

BOUNCE_SECRET = web.AppKey("bounce_secret", bytes)
REPORTS_KEPT_FOR = web.AppKey("reports_kept_for", timedelta)

SIGNATURE = "X-Examhall-Signature"
MOST_REPORTS = 500
# Clocks of mail servers run ahead a little; a report from further ahead would outlive a clearing.
EARLIEST = timedelta(minutes=10)


class NotSigned(Refused):
    """The signature does not fit the body."""

    status = 400


class NotUnderstood(Refused):
    """The body does not hold bounces as documented."""

    status = 400


class Report(BaseModel):
    """A letter that came back."""

    address: str = Field(min_length=3, max_length=320)
    # permanent: there is no such mailbox. temporary: it is tried again. complaint: called spam.
    kind: Literal["permanent", "temporary", "complaint"]
    message_id: str = Field(max_length=500)  # our letter's
    at: AwareDatetime


class Reports(BaseModel):
    """What a mail server reports together."""

    bounces: list[Report] = Field(max_length=MOST_REPORTS)


class Recorded(BaseModel):
    """What was done."""

    new: int  # reports that had not come before


async def report_bounces(request: web.Request) -> web.Response:
    """Take reports of letters that came back.

    The header X-Examhall-Signature is `sha256=` and the HMAC-SHA256 of the body in hex, under the
    secret of the setting NOTIFY_BOUNCE_SECRET. A permanent bounce or a complaint marks the address:
    letters to it fail at once until staff clear the mark. A report that comes again has no effect.
    """
    body = await request.read()
    _check_signature(request, body)
    try:
        reports = Reports.model_validate_json(body).bounces
    except ValidationError:
        raise NotUnderstood from None
    now = request[ARRIVED_AT]
    oldest = now - request.app[REPORTS_KEPT_FOR]
    # What is older than our memory may be a report that was cleared and is being repeated.
    believable = [_read(report) for report in reports if oldest < report.at <= now + EARLIEST]
    async with transaction(request.app[POOL]) as tx:
        new = await bounces.record(tx, reported=believable)
        came_back = [b.message_id for b in new if b.kind == "permanent"]
        named = [named for name in came_back if (named := rules.letter_named(name))]
        await letters.note_bounces(tx, bounced=named, reply="came back: permanent")
    return api.answer(Recorded(new=len(new)))


def _check_signature(request: web.Request, body: bytes) -> None:
    expected = hmac.new(request.app[BOUNCE_SECRET], body, hashlib.sha256).hexdigest()
    given = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(f"sha256={expected}".encode(), given.encode("utf-8", "replace")):
        raise NotSigned


def _read(report: Report) -> Bounce:
    at: datetime = report.at
    return Bounce(report.address, report.kind, report.message_id, at)


OPERATIONS: api.Operations = {
    report_bounces: Operation(
        request=Reports, response=Recorded, refusals=(NotSigned, NotUnderstood)
    ),
}

ROUTES = [
    web.post("/bounces", report_bounces),
]
