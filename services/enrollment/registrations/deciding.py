"""Deciding: what registrars make of registrations that wait for them, and what follows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from services.enrollment import entries, places, rules
from services.enrollment.registrations import about, refunds
from shared import audit, outbox
from shared.audit import Line
from shared.days import end_of_day
from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.enrollment import (
    DocumentsReturned,
    RegistrationConfirmed,
    RegistrationVoided,
    ReturnedDocument,
)
from shared.vault import Vault

AT_ONCE = 1_000

WhyVoid: TypeAlias = Literal["documents_not_fixed", "refused", "absent_before", "ended_by_staff"]

# What is told of a registration that changed.
TOLD = "registrations.id, registrations.number, account_id, sitting, area, paid_at, sittings.titles"

# As the indexes have it, so that they are used.
HELD = "held.state NOT IN ('lapsed', 'void', 'withdrawn') AND held.state <> 'absent'"


class NotWaiting(Refused):
    """This registration does not wait for a decision any more: it was decided already."""


class NotToBeEnded(Refused):
    """Only a registration that was not sent yet, or not paid yet, can be ended like this."""


async def approve(
    tx: Tx, *, registration_id: UUID, vault: Vault, actor: str, now: datetime
) -> None:
    """Let somebody sit the exam: they get their ID number and secret number."""
    row = await tx.fetchrow(
        f"""
        UPDATE registrations SET state = 'confirmed', confirmed_at = $2, waiting_since = NULL
          FROM sittings
         WHERE id = $1 AND state = 'in_review' AND sittings.code = sitting
        RETURNING {TOLD}, programme, level_group, exam_date, dialect, person_name, latin_name,
                  birth_date, tickets_at, results_at, confirmed_at
        """,  # noqa: S608
        registration_id,
        now,
    )
    if row is None:
        raise NotWaiting
    confirmed = RegistrationConfirmed(
        **about(row),
        **{
            name: row[name] for name in RegistrationConfirmed.model_fields if name not in about(row)
        },
    )
    await outbox.publish(tx, [confirmed])
    await entries.enter_registrations(tx, registration_ids=[registration_id], vault=vault, now=now)
    await _record(tx, actor, "registration_approved", registration_id)


async def return_documents(
    tx: Tx,
    *,
    registration_id: UUID,
    documents: Sequence[ReturnedDocument],
    actor: str,
    now: datetime,
) -> datetime:
    """Ask for other documents; return until when."""
    zone = await tx.fetchval(
        """
        SELECT zone FROM registrations
          JOIN sittings ON sittings.code = sitting
          JOIN programmes ON programmes.code = programme
         WHERE id = $1
        """,
        registration_id,
    )
    if zone is None:
        raise NotWaiting
    today = now.astimezone(ZoneInfo(zone)).date()
    fix_by = end_of_day(rules.fix_by(returned_on=today), ZoneInfo(zone))
    row = await tx.fetchrow(
        f"""
        UPDATE registrations SET state = 'returned', fix_by = $2, waiting_since = NULL
          FROM sittings
         WHERE id = $1 AND state = 'in_review' AND sittings.code = sitting
        RETURNING {TOLD}
        """,  # noqa: S608
        registration_id,
        fix_by,
    )
    if row is None:
        raise NotWaiting
    returned = DocumentsReturned(
        **about(row), documents=list(documents), returned_at=now, fix_by=fix_by
    )
    await outbox.publish(tx, [returned])
    names = [document.document for document in documents]
    await _record(tx, actor, "documents_returned", registration_id, documents=names)
    return fix_by


async def resubmit(
    tx: Tx, *, registration_id: UUID, account_id: UUID, arrived_at: datetime
) -> None:
    """Put a registration back among those that wait, its documents having been replaced."""
    done = await tx.fetchval(
        """
        UPDATE registrations SET state = 'in_review', waiting_since = $3, fix_by = NULL
         WHERE id = $1 AND account_id = $2 AND state = 'returned' AND fix_by > $3
        RETURNING id
        """,
        registration_id,
        account_id,
        arrived_at,
    )
    if done is None:
        raise NotWaiting


async def refuse(tx: Tx, *, registration_id: UUID, actor: str, now: datetime) -> None:
    """Let somebody not sit the exam; what was paid goes back, less what is kept."""
    row = await tx.fetchrow(
        f"""
        UPDATE registrations
           SET state = 'void', ended_at = $2, ended_why = 'refused', waiting_since = NULL
          FROM sittings
         WHERE id = $1 AND state = 'in_review' AND sittings.code = sitting
        RETURNING {TOLD}, ended_at
        """,  # noqa: S608
        registration_id,
        now,
    )
    if row is None:
        raise NotWaiting
    await _end(tx, [row], why="refused")
    await _record(tx, actor, "registration_refused", registration_id)


async def end(tx: Tx, *, registration_id: UUID, reason: str, actor: str, now: datetime) -> None:
    """End what was not sent or not paid yet: it stands in the way of the person it names."""
    row = await tx.fetchrow(
        f"""
        UPDATE registrations SET state = 'void', ended_at = $2, ended_why = 'ended_by_staff'
          FROM sittings
         WHERE id = $1 AND state IN ('drafting', 'awaiting_payment') AND sittings.code = sitting
        RETURNING {TOLD}, ended_at
        """,  # noqa: S608
        registration_id,
        now,
    )
    if row is None:
        raise NotToBeEnded
    await _end(tx, [row], why="ended_by_staff", reason=reason)
    await _record(tx, actor, "registration_ended", registration_id, reason=reason)


async def void_unfixed(tx: Tx, *, now: datetime) -> int:
    """End those whose documents were not replaced in time; what was replaced is looked at again.

    Whoever replaced all of them did what was asked, whether they handed them in or not.
    """
    due = await tx.fetch(
        """
        SELECT id FROM registrations WHERE state = 'returned' AND fix_by <= $1
         ORDER BY fix_by LIMIT $2 FOR UPDATE SKIP LOCKED
        """,
        now,
        AT_ONCE,
    )
    ids = [row["id"] for row in due]
    # Only now that they are held still: an upload that counted a moment ago is seen.
    await tx.execute(
        """
        UPDATE registrations SET state = 'in_review', waiting_since = replaced_at, fix_by = NULL
          FROM (SELECT registration_id, max(arrived_at) AS replaced_at FROM documents
                 WHERE registration_id = ANY($1::uuid[]) AND state = 'kept'
                 GROUP BY registration_id HAVING count(returned_why) = 0) AS fixed
         WHERE id = registration_id
        """,
        ids,
    )
    rows = await tx.fetch(
        f"""
        UPDATE registrations
           SET state = 'void', ended_at = fix_by, ended_why = 'documents_not_fixed'
          FROM sittings
         WHERE id = ANY($1::uuid[]) AND state = 'returned' AND sittings.code = sitting
        RETURNING {TOLD}, ended_at
        """,  # noqa: S608
        ids,
    )
    await _end(tx, rows, why="documents_not_fixed")
    return len(due)


async def mark_absent(
    tx: Tx, *, registration_ids: Sequence[UUID], actor: str, now: datetime
) -> int:
    """Note who did not come. Where the series punishes that, later entries of theirs end."""
    rows = await tx.fetch(
        """
        UPDATE registrations SET state = 'absent'
          FROM sittings
         WHERE id = ANY($1::uuid[]) AND state = 'confirmed' AND sittings.code = sitting
           AND exam_date <= timezone((SELECT zone FROM programmes WHERE code = programme), $2)::date
        RETURNING id
        """,
        registration_ids,
        now,
    )
    await audit.record(
        tx, [Line(actor, "marked_absent", f"registration {row['id']}", {}) for row in rows]
    )
    # By person, and by account where nobody knows yet who it is for: others of the account came.
    # Apart, each along an index: in one condition they would be looked for among everybody.
    barred = await tx.fetch(
        f"""
        WITH closed AS (
            SELECT absent.account_id, absent.person, later.code AS sitting
              FROM registrations AS absent
              JOIN sittings AS missed ON missed.code = absent.sitting
              JOIN series ON (series.programme, series.level_group, series.code)
                           = (missed.programme, missed.level_group, missed.series)
              JOIN sittings AS later
                ON (later.programme, later.level_group, later.series, later.year)
                 = (missed.programme, missed.level_group, missed.series, missed.year)
               AND later.exam_date > missed.exam_date
             WHERE absent.id = ANY($1::uuid[]) AND absence_bars
        ), barred AS (
            SELECT id FROM closed
              JOIN registrations AS held USING (sitting, account_id)
             WHERE {HELD} AND (closed.person IS NULL OR held.person IS NULL)
             UNION
            SELECT id FROM closed
              JOIN registrations AS held USING (sitting, person) WHERE {HELD}
        )
        UPDATE registrations
           SET state = 'void', ended_at = $2, ended_why = 'absent_before', waiting_since = NULL
          FROM sittings
         WHERE registrations.id IN (SELECT id FROM barred)
           AND state NOT IN ('lapsed', 'void', 'withdrawn', 'absent')
           AND sittings.code = sitting
        RETURNING {TOLD}, ended_at
        """,  # noqa: S608
        [row["id"] for row in rows],
        now,
    )
    await _end(tx, barred, why="absent_before")
    return len(rows)


async def _end(tx: Tx, rows: Sequence[Row], *, why: WhyVoid, reason: str | None = None) -> None:
    """Tell everybody that these are void, send money back, and free the places."""
    await outbox.publish(
        tx,
        [
            RegistrationVoided(**about(row), why=why, voided_at=row["ended_at"], reason=reason)
            for row in rows
        ],
    )
    for row in rows:
        if row["paid_at"] is not None:
            await refunds.owe(
                tx,
                [row],
                reason="review_failed",
                less_twd=refunds.KEPT_TWD,
                due_at=row["ended_at"],
            )
    if rows:
        ended_at = max(row["ended_at"] for row in rows)
        await entries.cancel_registrations(
            tx, registration_ids=[row["id"] for row in rows], now=ended_at
        )
    await places.give_back(tx, rooms=[(row["sitting"], row["area"]) for row in rows])


async def _record(tx: Tx, actor: str, act: str, registration_id: UUID, **details: object) -> None:
    await audit.record(tx, [Line(actor, act, f"registration {registration_id}", details)])
