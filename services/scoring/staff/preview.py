"""Results as they would be, for examiners and releasers alone: figures, changes, and every one."""

from aiohttp import web

from services.scoring import (
    contributors,
    corrections,
    drafts,
    errands,
    releases,
    results,
    sitting_lists,
)
from services.scoring.drafts import Draft
from services.scoring.rules import outcomes, summaries, tables
from services.scoring.rules.tables import Compared
from services.scoring.staff import asked
from shared import charts
from shared.auth import PRINCIPAL, Role
from shared.db import POOL, transaction
from shared.i18n import language_of
from shared.observe import ARRIVED_AT
from shared.templates import render

SHOWN = 100
MOST_PAGES = 10_000


async def show_preview(request: web.Request) -> web.Response:
    code, language = request.match_info["sitting"], language_of(request)
    page = asked.number(request.query.get("page", ""), most=MOST_PAGES)
    async with transaction(request.app[POOL]) as tx:
        listed = await sitting_lists.load(tx, code=code)
        computation = await drafts.find_computation(tx, sitting=code)
        alike = await drafts.count_alike(tx, sitting=code)
        errand = await errands.find_newest(tx, sitting=code)
        changes = await drafts.list_(tx, sitting=code, only_changed=True, limit=SHOWN)
        changed = await drafts.count_changes(tx, sitting=code)
        shown = await drafts.list_(tx, sitting=code, limit=SHOWN + 1, offset=page * SHOWN)
        release = await releases.find(tx, sitting=code)
        has_contributed = await contributors.is_one(
            tx, sitting=code, account_id=request[PRINCIPAL].id
        )
    found = [(outcomes.read(outcome), number) for outcome, number in alike]
    return render(
        request,
        "staff/show_preview.html",
        listed=listed,
        sitting=listed.sitting,
        computation=computation,
        errand=errand,
        words=summaries.count_words(found, language),
        scores=summaries.count_scores(found),
        bars=charts.bars,
        changes=[(each, _differences(each, listed.sitting.programme)) for each in changes],
        changed=changed,
        drafts=shown[:SHOWN],
        page=page,
        has_more=len(shown) > SHOWN,
        read=outcomes.read,
        summarise=summaries.summarise,
        score_of=summaries.score_of,
        release=release,
        has_contributed=has_contributed,
        is_releaser=asked.is_a(request, Role.RELEASER),
    )


def _differences(draft: Draft, programme: str) -> list[Compared]:
    before, after = (
        outcomes.read(told) if told else None for told in (draft.before, draft.outcome)
    )
    return [line for line in tables.compare(before, after, programme=programme) if line.differs]


async def compute(request: web.Request) -> web.Response:
    code = request.match_info["sitting"]
    async with transaction(request.app[POOL]) as tx:
        await errands.ask_to_compute(
            tx, code=code, actor=request[PRINCIPAL].id, now=request[ARRIVED_AT]
        )
    raise web.HTTPSeeOther(f"/scoring/staff/results/{code}")


async def show_correction(request: web.Request) -> web.Response:
    """What a correction makes of a result, beside what it is of."""
    async with transaction(request.app[POOL]) as tx:
        correction = await corrections.load(tx, correction_id=asked.named(request, "correction_id"))
        listed = await sitting_lists.load(tx, code=correction.sitting)
        versions = await results.list_versions(tx, entry_id=correction.entry_id)
    replaced = next((one for one in versions if one.version == correction.of_version), None)
    before, after = replaced.outcome if replaced else None, outcomes.read(correction.outcome)
    return render(
        request,
        "staff/show_correction.html",
        correction=correction,
        sitting=listed.sitting,
        listed=listed,
        before=before,
        after=after,
        compared=tables.compare(before, after, programme=listed.sitting.programme),
        id_number=versions[0].told["id_number"] if versions else None,
        summarise=summaries.summarise,
        score_of=summaries.score_of,
        is_mine=correction.proposed_by == request[PRINCIPAL].id,
        is_releaser=asked.is_a(request, Role.RELEASER),
    )


ROUTES = [
    web.get("/{sitting}", show_preview),
    web.post("/{sitting}/computation", compute),
    web.get("/corrections/{correction_id}", show_correction),
]
