"""Every change since the computation before, to be taken away: the page shows the first of them."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from services.scoring import drafts, sittings
from services.scoring.drafts import Draft
from services.scoring.rules import outcomes, summaries
from shared import audit, exports
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.i18n import language_of, mark
from shared.templates import translate

# Read at a time: an outcome is a few thousand octets, and what is written of it a hundred.
READ_AT_ONCE = 5_000
COLUMNS = (
    mark("Candidate number"),
    mark("ID number"),
    mark("Name"),
    mark("Before"),
    mark("Score before"),
    mark("Now"),
    mark("Score now"),
)


async def export_changes(request: web.Request) -> web.Response:
    code, language = request.match_info["sitting"], language_of(request)
    none = translate(request, mark("none"))
    rows: list[Sequence[str]] = []
    async with transaction(request.app[POOL]) as tx:
        await sittings.load(tx, code=code)
        async for some in drafts.list_changes(tx, sitting=code, at_once=READ_AT_ONCE):
            rows += await asyncio.to_thread(_write, some, none, language)
        actor, facts = str(request[PRINCIPAL].id), {"count": len(rows)}
        await audit.record(tx, [Line(actor, "changes_exported", f"sitting {code}", facts)])
    return await exports.answer(request, name=f"changes-{code}", header=COLUMNS, rows=rows)


def _write(changed: Sequence[Draft], none: str, language: str) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for each in changed:
        words = [each.candidate_number, each.id_number, each.person_name]
        for told in (each.before, each.outcome):
            outcome = outcomes.read(told) if told else None
            words.append(summaries.summarise(outcome)[language] if outcome else none)
            words.append(summaries.score_of(outcome) if outcome else "")
        rows.append(words)
    return rows


ROUTES = [web.post("/{sitting}/changes/exports", export_changes)]
