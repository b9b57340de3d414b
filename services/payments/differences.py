"""Differences: where the provider's files and our books do not agree. Each waits until somebody has
looked into it. Writes `reconciliation_differences`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.payments.refunds import AlreadyDone
from shared import audit
from shared.db import Row, Tx
from shared.errors import Refused
from shared.i18n import mark

KINDS = {
    "not_known": mark("Money in the file that we had not heard of"),
    "not_in_file": mark("Money in our books that the file does not have"),
    "amount_differs": mark("The amounts differ"),
    "number_differs": mark("The provider's numbers differ"),
    "net_differs": mark("The fees and the net amount do not add up"),
    "refund_not_known": mark("A refund in the file that is not in our books"),
    "refund_not_in_file": mark("A refund in our books that the file does not have"),
    "refund_differs": mark("The amounts of a refund differ"),
    "not_readable": mark("A line that cannot be read"),
}


class NoSuchDifference(Refused):
    """There is no such difference."""

    status = 404


@dataclass(frozen=True, slots=True)
class Found:
    """Something that does not agree, as it was found in a file."""

    kind: str
    line: int | None
    trade_number: str
    provider_number: str
    file_twd: int | None
    our_twd: int | None
    words: str = ""
    which: str = ""  # of several refunds of one payment

    @property
    def subject(self) -> str:
        """The same subject is the same difference, in whichever file it is found again."""
        if self.kind == "not_readable":
            return self.words
        return "/".join(filter(None, (self.trade_number, self.provider_number, self.which)))


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference as it stands."""

    id: int
    kind: str
    file_id: UUID
    line: int | None
    trade_number: str
    provider_number: str
    file_twd: int | None
    our_twd: int | None
    words: str
    found_at: datetime
    resolved_at: datetime | None
    resolved_by: UUID | None
    note: str


_COLUMNS = ", ".join(Difference.__slots__)


def _read(row: Row) -> Difference:
    return Difference(**{name: row[name] for name in Difference.__slots__})


async def add(tx: Tx, *, file_id: UUID, found: Sequence[Found], now: datetime) -> int:
    """List differences; what was listed before is not listed again. Return how many are new."""
    rows = await tx.fetch(
        """
        INSERT INTO reconciliation_differences
               (file_id, found_at, kind, subject, line, trade_number, provider_number, file_twd,
                our_twd, words)
        SELECT $1, $2, given.*
          FROM unnest($3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::int[],
                      $9::int[], $10::text[]) AS given
        ON CONFLICT (kind, subject) DO NOTHING
        RETURNING id
        """,
        file_id,
        now,
        [each.kind for each in found],
        [each.subject for each in found],
        [each.line for each in found],
        [each.trade_number for each in found],
        [each.provider_number for each in found],
        [each.file_twd for each in found],
        [each.our_twd for each in found],
        [each.words for each in found],
    )
    return len(rows)


async def close_found(tx: Tx, *, file_id: UUID, provider: str, now: datetime) -> None:
    """Resolve what was missing in an earlier file and stands in this one."""
    await tx.execute(
        """
        UPDATE reconciliation_differences AS difference
           SET resolved_at = $3, note = file.name
          FROM reconciliation_files AS file
          JOIN reconciliation_lines AS line ON line.file_id = file.id
          JOIN captures USING (trade_number, provider_number, amount_twd)
         WHERE file.id = $1 AND captures.provider = $2 AND line.paid_at IS NOT NULL
           AND difference.kind = 'not_in_file' AND difference.resolved_at IS NULL
           AND difference.subject = line.trade_number || '/' || line.provider_number
        """,
        file_id,
        provider,
        now,
    )


async def close_these(tx: Tx, *, file_id: UUID, found: Sequence[Found], now: datetime) -> None:
    """Resolve what an earlier file lacked and this one has."""
    await tx.execute(
        """
        UPDATE reconciliation_differences AS difference
           SET resolved_at = $2, note = file.name
          FROM reconciliation_files AS file,
               unnest($3::text[], $4::text[]) AS these (kind, subject)
         WHERE file.id = $1 AND difference.resolved_at IS NULL
           AND (difference.kind, difference.subject) = (these.kind, these.subject)
        """,
        file_id,
        now,
        [each.kind for each in found],
        [each.subject for each in found],
    )


async def resolve(
    tx: Tx, *, difference_id: int, note: str, actor: UUID, now: datetime
) -> Difference:
    """Say what it was."""
    row = await tx.fetchrow(
        f"""
        UPDATE reconciliation_differences SET resolved_at = $2, resolved_by = $3, note = $4
         WHERE id = $1 AND resolved_at IS NULL RETURNING {_COLUMNS}
        """,  # noqa: S608 (a constant)
        difference_id,
        now,
        actor,
        note,
    )
    if row is None:
        raise AlreadyDone
    line = audit.Line(
        str(actor), "difference_resolved", f"difference {difference_id}", {"note": note}
    )
    await audit.record(tx, [line])
    return _read(row)


async def load(tx: Tx, *, difference_id: int) -> Difference:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM reconciliation_differences WHERE id = $1",  # noqa: S608
        difference_id,
    )
    if row is None:
        raise NoSuchDifference
    return _read(row)


async def list_(
    tx: Tx, *, kind: str, is_open: bool, limit: int, after: int = 0, file_id: UUID | None = None
) -> list[Difference]:
    """Differences, the oldest first, those after the one that was shown last."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM reconciliation_differences
         WHERE ($1 = '' OR kind = $1) AND (resolved_at IS NULL) = $2 AND id > $3
           AND ($4::uuid IS NULL OR file_id = $4)
         ORDER BY id LIMIT $5
        """,  # noqa: S608 (a constant)
        kind,
        is_open,
        after,
        file_id,
        limit,
    )
    return [_read(row) for row in rows]


async def count_open(tx: Tx) -> dict[str, int]:
    """How many wait, of each kind."""
    rows = await tx.fetch(
        """
        SELECT kind, count(*) AS number FROM reconciliation_differences
         WHERE resolved_at IS NULL GROUP BY kind
        """
    )
    counts = {row["kind"]: row["number"] for row in rows}
    return {kind: counts.get(kind, 0) for kind in KINDS}
