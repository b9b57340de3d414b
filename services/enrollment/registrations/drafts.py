"""A draft: it belongs to a person, is given up, sent, or runs out of time."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.enrollment import places, rules
from services.enrollment.registrations import (
    COLUMNS,
    NoSuchRegistration,
    Registration,
    about,
    openings,
    read_row,
)
from services.enrollment.registrations.openings import Barred, was_absent_before
from shared import outbox
from shared.days import end_of_day
from shared.db import Tx
from shared.errors import Refused
from shared.events.enrollment import (
    RegistrationLapsed,
    RegistrationSubmitted,
    RegistrationWithdrawn,
    SubmissionDue,
)

# Enough for one statement; the job is called again while there are more.
AT_ONCE = 1_000
REMINDED_DAYS_BEFORE = (2, 1)


class AlreadySent(Refused):
    """This registration was sent. It cannot be changed any more."""


class TooLate(Refused):
    """The time to do this is over."""

    status: ClassVar[int] = 410


class PersonAlreadyThere(Refused):
    """The person with this ID number holds a place already, in this sitting or in another of which
    only one can be entered. If somebody else took it, tell us; how to reach us is on our site."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What is copied out of the form when it is sent, to stand beside the registration."""

    person: bytes
    person_name: str
    latin_name: str | None
    birth_date: date
    dialect: str


async def lock(
    tx: Tx, *, registration_id: UUID, account_id: UUID, arrived_at: datetime
) -> Registration:
    """Hold a draft still while its form or its documents are written; refuse what is none."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM registrations WHERE id = $1 AND account_id = $2 FOR UPDATE",  # noqa: S608
        registration_id,
        account_id,
    )
    if row is None:
        raise NoSuchRegistration
    registration = read_row(row)
    if registration.submitted_at is not None:
        raise AlreadySent
    if registration.has_ended or arrived_at >= registration.submit_by:
        raise TooLate
    return registration


async def identify(tx: Tx, *, draft: Registration, person: bytes) -> None:
    """Say who a draft is for, by the digest of the ID number: one place for one person."""
    barred = await tx.fetchval(
        f"SELECT {was_absent_before('person')}"  # noqa: S608
        "  FROM (SELECT $1::text AS sitting, $2::bytea AS person) AS wish",
        draft.sitting,
        person,
    )
    if barred:
        raise Barred
    try:
        await tx.execute("UPDATE registrations SET person = $2 WHERE id = $1", draft.id, person)
    except asyncpg.UniqueViolationError:
        raise PersonAlreadyThere from None


async def submit(tx: Tx, *, draft: Registration, sent: Sent, arrived_at: datetime) -> Registration:
    """Freeze a draft that is complete, and say what it costs. Free ones go straight to review."""
    sitting = await tx.fetchrow(
        """
        SELECT sittings.code, sittings.titles, programme, exam_date, methods, zone,
               fee_rule, fee_twd, fee_free_to_birthday
          FROM sittings JOIN programmes ON programmes.code = programme
         WHERE sittings.code = $1
        """,
        draft.sitting,
    )
    assert sitting is not None
    zone = ZoneInfo(sitting["zone"])
    fee_twd = rules.fee_of(
        sitting["fee_rule"],
        full_fee_twd=sitting["fee_twd"],
        free_until_age=sitting["fee_free_to_birthday"],
        birth_date=sent.birth_date,
        exam_date=sitting["exam_date"],
    )
    submitted_on = arrived_at.astimezone(zone).date()
    pay_by = end_of_day(rules.pay_by(submitted_on=submitted_on), zone) if fee_twd else None
    try:
        row = await tx.fetchrow(
            f"""
            UPDATE registrations
               SET person = $2, person_name = $3, latin_name = $4, birth_date = $5, dialect = $6,
                   submitted_at = $7, fee_twd = $8, pay_by = $9,
                   state = CASE WHEN $8 > 0 AND paid_at IS NULL THEN 'awaiting_payment'
                                ELSE 'in_review' END,
                   waiting_since = CASE WHEN $8 = 0 OR paid_at IS NOT NULL
                                        THEN $7::timestamptz END
             WHERE id = $1 AND state = 'drafting'
            RETURNING {COLUMNS}
            """,  # noqa: S608
            draft.id,
            sent.person,
            sent.person_name,
            sent.latin_name,
            sent.birth_date,
            sent.dialect,
            arrived_at,
            fee_twd,
            pay_by,
        )
    except asyncpg.UniqueViolationError:
        raise PersonAlreadyThere from None
    assert row is not None
    submitted = RegistrationSubmitted(
        **about({**row, "titles": sitting["titles"]}),
        programme=sitting["programme"],
        exam_date=sitting["exam_date"],
        amount_twd=fee_twd,
        methods=sitting["methods"],
        submitted_at=arrived_at,
        pay_by=pay_by,
    )
    await outbox.publish(tx, [submitted])
    return read_row(row)


async def withdraw(tx: Tx, *, draft: Registration, arrived_at: datetime) -> None:
    """Give a draft up: the place is free at once."""
    row = await tx.fetchrow(
        """
        UPDATE registrations SET state = 'withdrawn', ended_at = $2
          FROM sittings
         WHERE id = $1 AND state = 'drafting' AND sittings.code = sitting
        RETURNING id, registrations.number, account_id, sitting, area, sittings.titles
        """,
        draft.id,
        arrived_at,
    )
    assert row is not None
    withdrawn = RegistrationWithdrawn(**about(row), withdrawn_at=arrived_at)
    await outbox.publish(tx, [withdrawn])
    await places.give_back(tx, rooms=[(row["sitting"], row["area"])])


async def lapse(tx: Tx, *, now: datetime) -> int:
    """End the drafts whose time is over: at their deadline, whenever we get round to it."""
    rows = await tx.fetch(
        """
        UPDATE registrations
           SET state = 'lapsed', ended_at = submit_by, ended_why = 'not_submitted'
          FROM sittings
         WHERE id IN (SELECT id FROM registrations WHERE state = 'drafting' AND submit_by <= $1
                       ORDER BY submit_by LIMIT $2 FOR UPDATE SKIP LOCKED)
           AND sittings.code = sitting
        RETURNING id, registrations.number, account_id, sitting, area, ended_at, sittings.titles
        """,
        now,
        AT_ONCE,
    )
    await outbox.publish(
        tx,
        [
            RegistrationLapsed(**about(row), why="not_submitted", lapsed_at=row["ended_at"])
            for row in rows
        ],
    )
    await places.give_back(tx, rooms=[(row["sitting"], row["area"]) for row in rows])
    return len(rows)


async def extend(tx: Tx, *, sitting: str) -> None:
    """Give drafts all the time that their sitting gives now; nobody gets less than was said.

    Who was reminded of the earlier deadline is reminded of the later one, too.
    """
    opening = (await openings.load(tx, sittings=[sitting])).sittings[sitting]
    held = await tx.fetch(
        """
        SELECT id, claimed_at FROM registrations
         WHERE sitting = $1 AND state = 'drafting' AND submit_by < $2
        """,
        sitting,
        opening.closes_at,
    )
    await tx.execute(
        """
        UPDATE registrations AS held SET submit_by = longer.submit_by, reminded_days = NULL
          FROM unnest($1::uuid[], $2::timestamptz[]) AS longer (id, submit_by)
         WHERE held.id = longer.id AND state = 'drafting' AND held.submit_by < longer.submit_by
        """,
        [row["id"] for row in held],
        [opening.submit_by(row["claimed_at"]) for row in held],
    )


async def remind(tx: Tx, *, days_before: int, now: datetime) -> int:
    """Remind the holders of drafts that run out within so many days, once each."""
    rows = await tx.fetch(
        """
        UPDATE registrations SET reminded_days = $2
          FROM sittings
         WHERE id IN (SELECT id FROM registrations
                       WHERE state = 'drafting' AND submit_by > $1
                         AND submit_by <= $1 + make_interval(days => $2)
                         -- Whoever claimed so late gets the deadline with the claim itself.
                         AND claimed_at <= submit_by - make_interval(days => $2)
                         AND (reminded_days IS NULL OR reminded_days > $2)
                       ORDER BY submit_by LIMIT $3 FOR UPDATE SKIP LOCKED)
           AND sittings.code = sitting
        RETURNING id, registrations.number, account_id, sitting, submit_by, sittings.titles
        """,
        now,
        days_before,
        AT_ONCE,
    )
    await outbox.publish(
        tx,
        [
            SubmissionDue(**about(row), days_left=days_before, submit_by=row["submit_by"])
            for row in rows
        ],
    )
    return len(rows)
