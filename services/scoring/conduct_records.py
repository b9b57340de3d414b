"""Breaches of the exam room's rules, as they were recorded. Sole writer of `conduct_records`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from services.scoring import contributors, releases, rules
from services.scoring.candidates import Candidate
from services.scoring.rules import Conduct, ExamRule
from services.scoring.sittings import Sitting
from shared import audit
from shared.audit import Line
from shared.db import Tx
from shared.errors import Refused


class RuleDoesNotApply(Refused):
    """This rule does not apply there: choose a section that it is about, and a part where only a
    part is not scored."""

    status = 422


@dataclass(frozen=True, slots=True)
class Breach:
    """Which rule was broken, and where."""

    rule: str
    section: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A breach as it stands in the records."""

    id: UUID
    breach: Breach
    recorded_at: datetime


def find_rule(sitting: Sitting, number: str) -> ExamRule | None:
    known = rules.find_exam_rules(sitting.programme)
    return next((rule for rule in known.rules if rule.number == number), None) if known else None


def judge(sitting: Sitting, breach: Breach) -> Conduct:
    """Say what a breach costs; refuse one that the exam's rules do not know there."""
    rule, marking = find_rule(sitting, breach.rule), sitting.marking
    if rule is None or not isinstance(marking, rules.SchemeMarking):
        raise RuleDoesNotApply
    if rule.effect == "disqualified":
        if breach.section or breach.part:
            raise RuleDoesNotApply
        return rule.broken_in("")
    section = marking.scheme.sections.get(breach.section)
    if section is None or not rule.applies_to(marking.scheme.name, breach.section):
        raise RuleDoesNotApply
    is_about_part = rule.effect == "part_not_scored"
    if is_about_part != bool(breach.part) or (breach.part and breach.part not in section.parts):
        raise RuleDoesNotApply
    return rule.broken_in(breach.section, breach.part or None)


async def add(
    tx: Tx, *, sitting: Sitting, candidate: Candidate, breach: Breach, actor: UUID, now: datetime
) -> None:
    """Record a breach. The same rule is broken once in the same place, however often it is sent."""
    await releases.refuse_if_approved(tx, sitting=sitting.code)
    judge(sitting, breach)
    added = await tx.fetchval(
        """
        INSERT INTO conduct_records (id, entry_id, sitting, rule, section, part, recorded_by,
                                     recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        uuid4(),
        candidate.entry_id,
        sitting.code,
        breach.rule,
        breach.section,
        breach.part,
        actor,
        now,
    )
    await contributors.add(tx, sitting=sitting.code, account_id=actor)
    if added is not None:
        await _record(tx, actor, "breach_recorded", candidate, breach.rule)


async def remove(
    tx: Tx, *, candidate: Candidate, record_id: UUID, actor: UUID, now: datetime
) -> None:
    """Take a record back. It stays on file that it was there."""
    await releases.refuse_if_approved(tx, sitting=candidate.sitting)
    rule = await tx.fetchval(
        """
        UPDATE conduct_records SET removed_by = $3, removed_at = $4
         WHERE id = $1 AND entry_id = $2 AND removed_at IS NULL
        RETURNING rule
        """,
        record_id,
        candidate.entry_id,
        actor,
        now,
    )
    if rule is not None:
        await contributors.add(tx, sitting=candidate.sitting, account_id=actor)
        await _record(tx, actor, "breach_removed", candidate, rule)


async def list_of(tx: Tx, *, entry_id: UUID) -> list[Recorded]:
    rows = await tx.fetch(
        """
        SELECT id, rule, section, part, recorded_at FROM conduct_records
         WHERE entry_id = $1 AND removed_at IS NULL ORDER BY recorded_at, id
        """,
        entry_id,
    )
    return [
        Recorded(row["id"], Breach(row["rule"], row["section"], row["part"]), row["recorded_at"])
        for row in rows
    ]


async def list_(tx: Tx, *, sitting: str) -> Mapping[UUID, Sequence[Breach]]:
    """What counts against the candidates of a sitting."""
    rows = await tx.fetch(
        """
        SELECT entry_id, rule, section, part FROM conduct_records
         WHERE sitting = $1 AND removed_at IS NULL ORDER BY id
        """,
        sitting,
    )
    found: defaultdict[UUID, list[Breach]] = defaultdict(list)
    for row in rows:
        found[row["entry_id"]].append(Breach(row["rule"], row["section"], row["part"]))
    return found


async def _record(tx: Tx, actor: UUID, act: str, candidate: Candidate, rule: str) -> None:
    details = {"sitting": candidate.sitting, "rule": rule}
    await audit.record(tx, [Line(str(actor), act, f"entry {candidate.entry_id}", details)])
