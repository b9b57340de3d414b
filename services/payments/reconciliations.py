"""Reconciliation: the provider's file is looked at, imported once, and held against our books.

Writes `reconciliation_files`, `reconciliation_lines` and `reconciliation_faults`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.payments import differences, refund_pairs, settlement
from services.payments.differences import Found
from services.payments.ecpay_file import PROVIDER, Table
from services.payments.refund_pairs import Pair
from services.payments.rules import TAIPEI
from services.payments.settlement import Capture, Captured
from shared import audit
from shared.days import end_of_day, start_of_day
from shared.db import Row, Tx
from shared.errors import Refused
from shared.ids import new_id


class NoSuchFile(Refused):
    """There is no such file. It may have been put aside."""

    status = 404


class ImportedBefore(Refused):
    """This file has been imported, so it stays."""


class NothingToCount(Refused):
    """This money has been counted already."""


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, and what its payments and refunds come to."""

    id: UUID
    name: str
    first_day: date | None
    last_day: date | None
    uploaded_by: UUID
    uploaded_at: datetime
    imported_by: UUID | None
    imported_at: datetime | None
    payments: int
    amount_twd: int
    refunds: int
    refunded_twd: int
    fee_twd: int
    net_twd: int

    @property
    def judged(self) -> tuple[datetime, datetime]:
        """From when until when the file should have all there is. A day that was not over when it
        was uploaded is not judged: the next file has all of it."""
        today = start_of_day(self.uploaded_at.astimezone(TAIPEI).date(), TAIPEI)
        if self.first_day is None or self.last_day is None:
            return today, today
        since, until = start_of_day(self.first_day, TAIPEI), end_of_day(self.last_day, TAIPEI)
        return since, min(until, today)


_SELECT = """
    SELECT id, name, first_day, last_day, uploaded_by, uploaded_at, imported_by, imported_at,
           payments, amount_twd, refunds, refunded_twd, fee_twd, net_twd
      FROM reconciliation_files CROSS JOIN LATERAL (
           SELECT count(paid_at) AS payments, count(refunded_at) AS refunds,
                  COALESCE(sum(amount_twd) FILTER (WHERE amount_twd > 0), 0) AS amount_twd,
                  COALESCE(-sum(amount_twd) FILTER (WHERE amount_twd < 0), 0) AS refunded_twd,
                  COALESCE(sum(fee_twd), 0) AS fee_twd, COALESCE(sum(net_twd), 0) AS net_twd
             FROM reconciliation_lines WHERE file_id = reconciliation_files.id
              AND (paid_at IS NOT NULL OR refunded_at IS NOT NULL)
           ) AS sums
"""


async def look_at(
    tx: Tx, *, name: str, digest: bytes, table: Table, actor: UUID, now: datetime
) -> UUID:
    """Keep a file to be looked at; it changes nothing. One that was uploaded before is found."""
    moved = [moment for line in table.lines if (moment := line.paid_at or line.refunded_at)]
    days = [moment.astimezone(TAIPEI).date() for moment in moved]
    file_id: UUID | None = await tx.fetchval(
        """
        INSERT INTO reconciliation_files
               (id, provider, name, digest, first_day, last_day, uploaded_by, uploaded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (digest) DO NOTHING RETURNING id
        """,
        new_id(now),
        PROVIDER,
        name,
        digest,
        min(days, default=None),
        max(days, default=None),
        actor,
        now,
    )
    if file_id is None:
        known: UUID = await tx.fetchval(
            "SELECT id FROM reconciliation_files WHERE digest = $1", digest
        )
        return known
    await _keep_table(tx, file_id, table)
    await _record(tx, actor, "file_looked_at", file_id, name=name, lines=len(table.lines))
    return file_id


async def _keep_table(tx: Tx, file_id: UUID, table: Table) -> None:
    await tx.copy_records_to_table(
        "reconciliation_lines",
        columns=(
            *("file_id", "number", "trade_number", "provider_number", "paid_at"),
            *("refunded_at", "amount_twd", "fee_twd", "net_twd", "method"),
        ),
        records=[
            (
                *(file_id, line.number, line.trade_number, line.provider_number, line.paid_at),
                *(line.refunded_at, line.amount_twd, line.fee_twd, line.net_twd, line.method),
            )
            for line in table.lines
        ],
    )
    await tx.copy_records_to_table(
        "reconciliation_faults",
        columns=("file_id", "number", "fault", "cells"),
        records=[(file_id, fault.number, fault.fault, fault.cells) for fault in table.faults],
    )


async def put_aside(tx: Tx, *, file_id: UUID, actor: UUID) -> None:
    """Forget a file that was only looked at."""
    file = await _lock(tx, file_id)
    if file.imported_at is not None:
        raise ImportedBefore
    await tx.execute("DELETE FROM reconciliation_files WHERE id = $1", file_id)
    await _record(tx, actor, "file_put_aside", file_id, name=file.name)


async def import_(tx: Tx, *, file_id: UUID, actor: UUID, now: datetime) -> list[Capture]:
    """Count money that only the file knows, and list all that does not agree.

    Return what was counted. Imported again, a file changes nothing.
    """
    file = await _lock(tx, file_id)
    if file.imported_at is not None:
        return []
    found = await compare(tx, file=file)
    lines = [each.line for each in found if each.kind == "not_known"]
    captures = await _count(tx, file_id=file_id, numbers=lines, now=now)
    new = await differences.add(tx, file_id=file_id, found=found, now=now)
    await differences.close_found(tx, file_id=file_id, provider=PROVIDER, now=now)
    agreed = refund_pairs.agree(await _pair_refunds(tx, file))
    await differences.close_these(tx, file_id=file_id, found=agreed, now=now)
    await tx.execute(
        "UPDATE reconciliation_files SET imported_by = $2, imported_at = $3 WHERE id = $1",
        file_id,
        actor,
        now,
    )
    facts = {"name": file.name, "counted": len(captures), "differences": new}
    await _record(tx, actor, "file_imported", file_id, **facts)
    return captures


async def count_anyway(
    tx: Tx, *, difference_id: int, note: str, actor: UUID, now: datetime
) -> list[Capture]:
    """Count money whose number differs from what we have: somebody found that it is other money."""
    difference = await differences.resolve(
        tx, difference_id=difference_id, note=note, actor=actor, now=now
    )
    if difference.kind != "number_differs":
        raise NothingToCount
    captures = await _count(tx, file_id=difference.file_id, numbers=[difference.line], now=now)
    if not captures:
        raise NothingToCount
    return captures


async def compare(tx: Tx, *, file: File) -> list[Found]:
    """Hold a file against our books. This changes nothing."""
    faults = await tx.fetch(
        "SELECT number, fault, cells FROM reconciliation_faults WHERE file_id = $1 ORDER BY number",
        file.id,
    )
    lines = await tx.fetch(
        """
        SELECT number, line.trade_number, line.provider_number, line.amount_twd AS file_twd,
               same.amount_twd AS our_twd, net_twd <> line.amount_twd - fee_twd AS net_differs,
               EXISTS (SELECT FROM captures AS other
                        WHERE other.trade_number = line.trade_number AND other.provider = $2)
                      AS is_trade_known
          FROM reconciliation_lines AS line
          LEFT JOIN captures AS same
            ON same.trade_number = line.trade_number AND same.provider = $2
           AND same.provider_number = line.provider_number
         WHERE file_id = $1 AND line.paid_at IS NOT NULL
           AND (same.amount_twd IS DISTINCT FROM line.amount_twd
                OR net_twd <> line.amount_twd - fee_twd)
         ORDER BY number
        """,
        file.id,
        PROVIDER,
    )
    found = [difference for row in lines for difference in _judge(row)]
    for row in await _find_missing(tx, file):
        numbers = (row["trade_number"], row["provider_number"])
        found.append(Found("not_in_file", None, *numbers, None, row["twd"]))
    found += refund_pairs.differ(await _pair_refunds(tx, file))
    for row in faults:
        words = f"{row['fault']}: {row['cells']}"
        found.append(Found("not_readable", row["number"], "", "", None, None, words))
    return found


def _judge(row: Row) -> list[Found]:
    """Name what is wrong with a line, which may be two things."""
    kinds = []
    if row["our_twd"] is None:
        kinds.append("number_differs" if row["is_trade_known"] else "not_known")
    elif row["our_twd"] != row["file_twd"]:
        kinds.append("amount_differs")
    if row["net_differs"]:
        kinds.append("net_differs")
    numbers = (row["number"], row["trade_number"], row["provider_number"])
    return [Found(kind, *numbers, row["file_twd"], row["our_twd"]) for kind in kinds]


async def _pair_refunds(tx: Tx, file: File) -> list[Pair]:
    since, until = file.judged
    return await refund_pairs.find(tx, file_id=file.id, provider=PROVIDER, since=since, until=until)


async def _find_missing(tx: Tx, file: File) -> Sequence[Row]:
    """Find money of the file's days that it does not have, or calls unpaid."""
    return await tx.fetch(
        """
        SELECT trade_number, provider_number, amount_twd AS twd FROM captures
         WHERE provider = $2 AND paid_at >= $3 AND paid_at < $4
           AND NOT EXISTS (SELECT FROM reconciliation_lines AS line
                            WHERE file_id = $1 AND line.trade_number = captures.trade_number
                              AND line.paid_at IS NOT NULL)
         ORDER BY paid_at, id
        """,
        file.id,
        PROVIDER,
        *file.judged,
    )


async def _count(
    tx: Tx, *, file_id: UUID, numbers: Sequence[int | None], now: datetime
) -> list[Capture]:
    """Settle the money of some lines, as if the provider's notice had come."""
    rows = await tx.fetch(
        """
        SELECT trade_number, provider_number, method, amount_twd, paid_at FROM reconciliation_lines
         WHERE file_id = $1 AND number = ANY($2::int[]) AND paid_at IS NOT NULL
        """,
        file_id,
        list(numbers),
    )
    captured = [Captured(provider=PROVIDER, **row) for row in rows]
    return await settlement.settle(tx, captured=captured, now=now)


async def load(tx: Tx, *, file_id: UUID) -> File:
    row = await tx.fetchrow(f"{_SELECT} WHERE id = $1", file_id)
    if row is None:
        raise NoSuchFile
    return File(**row)


async def _lock(tx: Tx, file_id: UUID) -> File:
    await tx.execute("SELECT FROM reconciliation_files WHERE id = $1 FOR UPDATE", file_id)
    return await load(tx, file_id=file_id)


async def list_newest(tx: Tx, *, limit: int, skip: int = 0) -> list[File]:
    rows = await tx.fetch(
        f"{_SELECT} ORDER BY uploaded_at DESC, id LIMIT $1 OFFSET $2", limit, skip
    )
    return [File(**row) for row in rows]


async def _record(tx: Tx, actor: UUID, act: str, file_id: UUID, **details: object) -> None:
    line = audit.Line(str(actor), act, f"reconciliation file {file_id}", details)
    await audit.record(tx, [line])
