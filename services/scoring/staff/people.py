"""Candidates of a sitting, for examiners: absences, and breaches of the exam room's rules."""

from collections.abc import Mapping

from aiohttp import web

from services.scoring import (
    candidates,
    conduct_records,
    corrections,
    releases,
    results,
    rules,
    scores,
    sittings,
)
from services.scoring.conduct_records import Breach, RuleDoesNotApply
from services.scoring.rules import SchemeMarking, summaries
from services.scoring.staff import asked
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

SHOWN = 100
CORRECTIONS_SHOWN = 20
PLACES = "/scoring/staff/candidates"
NOTHING: Mapping[str, str] = {}


async def search(request: web.Request) -> web.Response:
    """Search a sitting. Sent as a form: names do not belong into addresses."""
    posted = await request.post()
    text = " ".join(str(posted.get("text", "")).split())[:60]
    return await _list(request, text)


async def list_candidates(request: web.Request) -> web.Response:
    return await _list(request, "")


async def _list(request: web.Request, text: str) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=request.match_info["sitting"])
        found = await candidates.search(tx, sitting=sitting.code, text=text, limit=SHOWN + 1)
        known = await scores.list_(tx, sitting=sitting.code)
        breaches = await conduct_records.list_(tx, sitting=sitting.code)
    return render(
        request,
        "staff/list_candidates.html",
        sitting=sitting,
        candidates=found[:SHOWN],
        has_more=len(found) > SHOWN,
        known=known,
        breaches=breaches,
        text=text,
    )


async def show_candidate(request: web.Request) -> web.Response:
    return await show(request)


async def show(
    request: web.Request, problem: str | None = None, typed: Mapping[str, str] = NOTHING
) -> web.Response:
    """Show all that is recorded of a candidate, and what became of it; or what was typed of a
    breach, and what is wrong with it."""
    entry_id = asked.named(request, "entry_id")
    async with transaction(request.app[POOL]) as tx:
        candidate = await candidates.load(tx, entry_id=entry_id)
        sitting = await sittings.load(tx, code=candidate.sitting)
        release = await releases.find(tx, sitting=sitting.code)
        scored = await scores.find(tx, entry_id=entry_id)
        recorded = await conduct_records.list_of(tx, entry_id=entry_id)
        versions = await results.list_versions(tx, entry_id=entry_id)
        corrected = await corrections.list_(tx, entry_id=entry_id, limit=CORRECTIONS_SHOWN)
    marking = sitting.marking
    known = rules.find_exam_rules(sitting.programme)
    return render(
        request,
        "staff/show_candidate.html",
        status=422 if problem else 200,
        candidate=candidate,
        sitting=sitting,
        is_approved=release is not None,
        scored=scored,
        cells=marking.write(scored.given) if scored and scored.given is not None else {},
        columns=marking.columns,
        recorded=recorded,
        rules={rule.number: rule for rule in known.rules} if known else {},
        scheme=marking.scheme if isinstance(marking, SchemeMarking) else None,
        versions=versions,
        corrections=corrected,
        summarise=summaries.summarise,
        problem=problem,
        typed=typed,
        zone=request.app[SETTINGS].time_zone,
    )


async def mark_absent(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        candidate = await candidates.load(tx, entry_id=asked.named(request, "entry_id"))
        await sittings.lock(tx, code=candidate.sitting)
        await scores.mark_absent(
            tx, candidate=candidate, actor=request[PRINCIPAL].id, now=request[ARRIVED_AT]
        )
    raise web.HTTPSeeOther(f"{PLACES}/{candidate.entry_id}")


async def clear_scores(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        candidate = await candidates.load(tx, entry_id=asked.named(request, "entry_id"))
        await sittings.lock(tx, code=candidate.sitting)
        await scores.clear(tx, candidate=candidate, actor=request[PRINCIPAL].id)
    raise web.HTTPSeeOther(f"{PLACES}/{candidate.entry_id}")


async def add_breach(request: web.Request) -> web.Response:
    """Record which rule was broken, and where; what it costs, the rule says."""
    posted = await request.post()
    typed = {name: str(posted.get(name, "")) for name in ("rule", "place")}
    section, _, part = typed["place"].partition(".")
    breach = Breach(typed["rule"], section, part)
    try:
        async with transaction(request.app[POOL]) as tx:
            candidate = await candidates.load(tx, entry_id=asked.named(request, "entry_id"))
            sitting = await sittings.lock(tx, code=candidate.sitting)
            await conduct_records.add(
                tx,
                sitting=sitting,
                candidate=candidate,
                breach=breach,
                actor=request[PRINCIPAL].id,
                now=request[ARRIVED_AT],
            )
    except RuleDoesNotApply as refusal:
        return await show(request, refusal.sentence, typed)
    raise web.HTTPSeeOther(f"{PLACES}/{candidate.entry_id}")


async def remove_breach(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        candidate = await candidates.load(tx, entry_id=asked.named(request, "entry_id"))
        await sittings.lock(tx, code=candidate.sitting)
        await conduct_records.remove(
            tx,
            candidate=candidate,
            record_id=asked.named(request, "record_id"),
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"{PLACES}/{candidate.entry_id}")


ROUTES = [
    web.get("/of/{sitting}", list_candidates),
    web.post("/of/{sitting}", search),
    web.get("/{entry_id}", show_candidate),
    web.post("/{entry_id}/absence", mark_absent),
    web.post("/{entry_id}/clearing", clear_scores),
    web.post("/{entry_id}/breaches", add_breach),
    web.post("/{entry_id}/breaches/{record_id}/removal", remove_breach),
]
