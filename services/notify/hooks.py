"""For mail servers: what came back. Signed, because a forged report would silence somebody."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Literal

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from services.notify import bounces, letters, rules
from services.notify.bounces import Bounce
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

    status = 401


class NotUnderstood(Refused):
    """The body is not a list of bounces as documented."""

    status = 400


class Report(BaseModel):
    """One line of what a mail server reports."""

    address: str = Field(min_length=3, max_length=320)
    kind: Literal["permanent", "temporary", "complaint"]
    message_id: str = Field(max_length=500)
    at: AwareDatetime


REPORTS = TypeAdapter(list[Report])


async def report_bounces(request: web.Request) -> web.Response:
    """Take reports of letters that came back.

    The body is a JSON list of `{"address", "kind", "message_id", "at"}`, where kind is permanent
    (no such mailbox), temporary (it will be tried again) or complaint (called spam), message_id is
    that of our letter, and at is when it happened (RFC 3339). The header X-Examhall-Signature is
    `sha256=` and the HMAC-SHA256 of the body in hex. A report that comes again changes nothing.
    """
    body = await request.read()
    _check_signature(request, body)
    try:
        reports = REPORTS.validate_json(body)
    except ValidationError:
        raise NotUnderstood from None
    if len(reports) > MOST_REPORTS:
        raise NotUnderstood
    now = request[ARRIVED_AT]
    oldest = now - request.config_dict[REPORTS_KEPT_FOR]
    # What is older than our memory may be a report that was cleared and is being repeated.
    believable = [_read(report) for report in reports if oldest < report.at <= now + EARLIEST]
    async with transaction(request.config_dict[POOL]) as tx:
        new = await bounces.record(tx, reported=believable)
        came_back = [b.message_id for b in new if b.kind == "permanent"]
        named = [named for name in came_back if (named := rules.letter_named(name))]
        await letters.note_bounces(tx, bounced=named, reply="came back: permanent")
    return web.json_response({"new": len(new)})


def _check_signature(request: web.Request, body: bytes) -> None:
    expected = hmac.new(request.config_dict[BOUNCE_SECRET], body, hashlib.sha256).hexdigest()
    given = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(f"sha256={expected}".encode(), given.encode("utf-8", "replace")):
        raise NotSigned


def _read(report: Report) -> Bounce:
    at: datetime = report.at
    return Bounce(report.address, report.kind, report.message_id, at)


ROUTES = [
    web.post("/bounces", report_bounces),
]
