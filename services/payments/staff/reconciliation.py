"""Reconciliation, for finance: the provider's files, and where they and our books differ."""

from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from services.payments import (
    differences,
    ecpay_file,
    file_gaps,
    money_lists,
    order_lists,
    reconciliations,
)
from services.payments.differences import KINDS, Difference, NoSuchDifference
from services.payments.staff import asked
from services.payments.staff.asked import SHOWN, Note
from shared import audit, exports
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render, translate

# What a file differs in is listed once it is imported; before, the beginning is enough.
FOUND_SHOWN = 100
LONGEST_EXPORT = 20_000
COLUMNS = (
    mark("What differs"),
    mark("Trade number"),
    mark("Provider's number"),
    mark("In the file"),
    mark("In our books"),
    mark("Line"),
    mark("Found"),
    mark("Resolved"),
    mark("Note"),
)


class Resolution(BaseModel):
    """What a difference was."""

    note: Note
    # Only where the provider's numbers differ: it is other money than what we have.
    count: Literal["", "yes"] = ""


async def list_files(request: web.Request) -> web.Response:
    return await show_files(request)


async def show_files(
    request: web.Request, *, problem: str | None = None, missing: str = ""
) -> web.Response:
    """Show the files there are, and the form for another; `problem` is what was wrong with one."""
    asked_page = asked.whole(request.query.get("page", "")) or 0
    page = min(asked_page, 1_000)
    async with transaction(request.app[POOL]) as tx:
        found = await reconciliations.list_newest(tx, limit=SHOWN + 1, skip=page * SHOWN)
        counts = await differences.count_open(tx)
        gaps = await file_gaps.list_(tx, now=request[ARRIVED_AT])
    return render(
        request,
        "staff/list_files.html",
        status=422 if problem else 200,
        problem=problem,
        missing=missing,
        files=found[:SHOWN],
        next_page=page + 1 if len(found) > SHOWN else None,
        counts=counts,
        gaps=gaps,
        kinds=KINDS,
        columns=ecpay_file.COLUMNS,
        can_act=asked.can_act(request),
        done=request.query.get("done", ""),
        zone=request.app[SETTINGS].time_zone,
    )


async def show_file(request: web.Request) -> web.Response:
    """Show a file: before its import what would happen, afterwards what was found."""
    file_id = asked.named(request, "file_id")
    async with transaction(request.app[POOL]) as tx:
        file = await reconciliations.load(tx, file_id=file_id)
        found = await reconciliations.compare(tx, file=file) if file.imported_at is None else []
        listed = await differences.list_(
            tx, kind="", is_open=True, limit=FOUND_SHOWN, file_id=file_id
        )
    counts = {kind: sum(each.kind == kind for each in found) for kind in KINDS}
    return render(
        request,
        "staff/show_file.html",
        file=file,
        found=found[:FOUND_SHOWN],
        counts=counts,
        listed=listed,
        kinds=KINDS,
        faults=ecpay_file.FAULTS,
        can_act=asked.can_act(request),
        done=request.query.get("done", ""),
        zone=request.app[SETTINGS].time_zone,
    )


async def list_differences(request: web.Request) -> web.Response:
    kind = asked.choice(request.query.get("kind", ""), KINDS)
    is_open = request.query.get("state") != "resolved"
    async with transaction(request.app[POOL]) as tx:
        found = await differences.list_(
            tx,
            kind=kind,
            is_open=is_open,
            limit=SHOWN + 1,
            after=asked.whole(request.query.get("after", "")) or 0,
        )
        counts = await differences.count_open(tx)
    return render(
        request,
        "staff/list_differences.html",
        kind=kind,
        is_open=is_open,
        counts=counts,
        kinds=KINDS,
        faults=ecpay_file.FAULTS,
        found=found[:SHOWN],
        has_more=len(found) > SHOWN,
        zone=request.app[SETTINGS].time_zone,
    )


async def export_differences(request: web.Request) -> web.Response:
    posted = await request.post()
    kind, is_open = asked.choice(posted.get("kind", ""), KINDS), posted.get("state") != "resolved"
    async with transaction(request.app[POOL]) as tx:
        found = await differences.list_(tx, kind=kind, is_open=is_open, limit=LONGEST_EXPORT)
        actor, facts = str(request[PRINCIPAL].id), {"count": len(found)}
        await audit.record(tx, [Line(actor, "differences_exported", "differences", facts)])
    rows = [_write_row(request, each) for each in found]
    return await exports.answer(request, name="differences", header=COLUMNS, rows=rows)


def _write_row(request: web.Request, each: Difference) -> tuple[object, ...]:
    return (
        translate(request, KINDS[each.kind]),
        each.trade_number,
        each.provider_number,
        each.file_twd,
        each.our_twd,
        each.line,
        each.found_at,
        each.resolved_at,
        each.note,
    )


def difference_id(request: web.Request) -> int:
    number = asked.whole(request.match_info["difference_id"])
    if number is None:
        raise NoSuchDifference
    return number


async def show_difference(request: web.Request) -> web.Response:
    return await show(request, difference_id(request))


async def show(request: web.Request, number: int, *, form: Form[Any] | None = None) -> web.Response:
    """Show a difference beside what our books have about it."""
    async with transaction(request.app[POOL]) as tx:
        difference = await differences.load(tx, difference_id=number)
        order = await order_lists.find_by_number(tx, number=difference.trade_number)
        orphans = await money_lists.find_orphans(tx, number=difference.trade_number)
        file = await reconciliations.load(tx, file_id=difference.file_id)
    return render(
        request,
        "staff/show_difference.html",
        status=422 if form else 200,
        difference=difference,
        order=order,
        orphans=orphans if difference.trade_number else [],
        file=file,
        form=form or Form.blank(Resolution),
        kinds=KINDS,
        faults=ecpay_file.FAULTS,
        can_act=asked.can_act(request),
        zone=request.app[SETTINGS].time_zone,
    )


ROUTES = [
    web.get("/reconciliation", list_files),
    web.get("/reconciliation/files/{file_id}", show_file),
    web.get("/reconciliation/differences", list_differences),
    web.post("/reconciliation/differences/exports", export_differences),
    web.get("/reconciliation/differences/{difference_id}", show_difference),
]
