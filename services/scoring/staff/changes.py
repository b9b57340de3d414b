"""Every change since the computation before, to be taken away: the page shows the first of them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiohttp import web

from services.scoring import drafts, sittings
from services.scoring.drafts import Draft
from services.scoring.rules import GivenOutcome, ScoredOutcome, outcomes, summaries, tables
from services.scoring.rules.data_file import Titles
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
    mark("Papers and breaches that change, before"),
    mark("Papers and breaches that change, now"),
)
LINE = mark("%(paper)s: %(score)s")


async def export_changes(request: web.Request) -> web.Response:
    code, language = request.match_info["sitting"], language_of(request)
    words = _Words(translate(request, mark("none")), translate(request, LINE), language)
    rows: list[Sequence[str]] = []
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=code)
        async for some in drafts.list_changes(tx, sitting=code, at_once=READ_AT_ONCE):
            rows += await asyncio.to_thread(_write, some, sitting.programme, words)
        actor, facts = str(request[PRINCIPAL].id), {"count": len(rows)}
        await audit.record(tx, [Line(actor, "changes_exported", f"sitting {code}", facts)])
    return await exports.answer(request, name=f"changes-{code}", header=COLUMNS, rows=rows)


@dataclass(frozen=True)
class _Words:
    """How things are called in the file."""

    none: str
    line: str
    language: str

    def of(self, outcome: ScoredOutcome | GivenOutcome | None) -> list[str]:
        if outcome is None:
            return [self.none, ""]
        return [summaries.summarise(outcome)[self.language], summaries.score_of(outcome)]

    def of_lines(self, lines: Iterable[tuple[Titles, Titles | None]]) -> str:
        return "; ".join(
            self.line % {"paper": titles[self.language], "score": value[self.language]}
            for titles, value in lines
            if value
        )


def _write(changed: Sequence[Draft], programme: str, words: _Words) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for each in changed:
        before, now = (
            outcomes.read(kept) if kept else None for kept in (each.before, each.outcome)
        )
        lines = [one for one in tables.compare(before, now, programme=programme) if one.differs]
        rows.append(
            [
                *(each.candidate_number, each.id_number, each.person_name),
                *words.of(before),
                *words.of(now),
                words.of_lines((one.titles, one.before) for one in lines),
                words.of_lines((one.titles, one.after) for one in lines),
            ]
        )
    return rows


ROUTES = [web.post("/{sitting}/changes/exports", export_changes)]
