"""Absentees: a list of reference numbers, looked at before anybody is marked. Writes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from services.enrollment import references
from shared.db import Row, Tx
from shared.errors import Refused

# All who sit on one day, and then some.
MOST_AT_ONCE = 20_000

Verdict: TypeAlias = Literal[
    "will_be_marked",
    "slip_of_the_pen",
    "unknown",
    "repeated",
    "already_absent",
    "not_confirmed",
    "exam_to_come",
]


class TooManyAtOnce(Refused):
    """More than 20,000 reference numbers are too many for one list. Please divide it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list, and what would become of it."""

    line: int
    typed: str
    verdict: Verdict
    registration_id: UUID | None = None
    sitting: str | None = None

    @property
    def is_good(self) -> bool:
        return self.verdict == "will_be_marked"


def list_good(entries: Sequence[Entry]) -> list[UUID]:
    """List the registrations that would be marked."""
    return [e.registration_id for e in entries if e.is_good and e.registration_id is not None]


def count_verdicts(entries: Sequence[Entry]) -> dict[Verdict, int]:
    return dict(Counter(entry.verdict for entry in entries))


async def judge(tx: Tx, *, typed: Sequence[tuple[int, str]], now: datetime) -> list[Entry]:
    """Say for every line, by its number, what marking it would do."""
    if len(typed) > MOST_AT_ONCE:
        raise TooManyAtOnce
    numbers = {text: references.read(text) for _, text in typed}
    rows = await tx.fetch(
        """
        SELECT registrations.id, registrations.number, sitting, state, exam_date, zone
          FROM registrations
          JOIN sittings ON sittings.code = sitting
          JOIN programmes ON programmes.code = programme
         WHERE registrations.number = ANY($1::bigint[])
        """,
        [number for number in numbers.values() if number is not None],
    )
    found = {row["number"]: row for row in rows}
    seen: set[int] = set()
    entries = []
    for line, text in typed:
        number = numbers[text]
        row = found.get(number) if number is not None else None
        verdict = _judge(number, row, is_repeated=number in seen, now=now)
        if number is not None:
            seen.add(number)
        entries.append(
            Entry(line, text, verdict, row["id"], row["sitting"])
            if row
            else Entry(line, text, verdict)
        )
    return entries


def _judge(number: int | None, row: Row | None, *, is_repeated: bool, now: datetime) -> Verdict:
    if number is None:
        return "slip_of_the_pen"
    if row is None:
        return "unknown"
    if is_repeated:
        return "repeated"
    if row["state"] == "absent":
        return "already_absent"
    if row["state"] != "confirmed":
        return "not_confirmed"
    today = now.astimezone(ZoneInfo(row["zone"])).date()
    return "exam_to_come" if today < row["exam_date"] else "will_be_marked"
