"""The first page of a service for its staff: is it well, and what was done last."""

from typing import Any

from aiohttp import web

from shared import audit, outbox
from shared.db import POOL, transaction
from shared.observe import SERVICE_NAME
from shared.settings import SETTINGS
from shared.templates import render

LINES_SHOWN = 20


async def show(request: web.Request, template: str, **more: Any) -> web.Response:
    """Show a page that extends staff/first_page.html with what else this service's staff see."""
    async with transaction(request.app[POOL]) as tx:
        backlog = await outbox.measure_backlog(tx)
        lines = await audit.list_newest(tx, limit=LINES_SHOWN)
    return render(
        request,
        template,
        service=request.app[SERVICE_NAME],
        events_waiting=backlog.rows,
        oldest_waiting_seconds=backlog.oldest_seconds if backlog.rows else None,
        audit_lines=lines,
        zone=request.app[SETTINGS].time_zone,
        **more,
    )
