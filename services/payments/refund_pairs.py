"""Refunds in the provider's file, held against those that we had it make. Writes nothing.

The provider numbers payments, not refunds: which is which is told by their payment, their amount
and their time.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from services.payments.differences import Found
from shared.db import Tx

# Of two amounts that differ, only those of about the same time are taken for one refund.
NEAR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Theirs:
    """Money that went back, by this file or by one that was imported before."""

    payment: tuple[str, str]
    amount_twd: int
    refunded_at: datetime
    line: int | None  # in this file
    net_differs: bool


@dataclass(frozen=True, slots=True)
class Ours:
    """A refund that we believe the provider has made."""

    payment: tuple[str, str]
    amount_twd: int
    completed_at: datetime
    id: UUID
    is_judged: bool  # of a day that this file should have all of


Pair: TypeAlias = tuple[Theirs | None, Ours | None]


async def find(
    tx: Tx, *, file_id: UUID, provider: str, since: datetime, until: datetime
) -> list[Pair]:
    """Pair the refunds of the payments of which this file has one, or of which we have one that
    was made since then and before."""
    asked = (file_id, provider, since, until)
    theirs = [
        Theirs((row["trade_number"], row["provider_number"]), *row[2:])
        for row in await tx.fetch(
            f"""
            {_CONCERNED}
            SELECT trade_number, provider_number, -amount_twd, refunded_at,
                   min(number) FILTER (WHERE file_id = $1),
                   COALESCE(bool_or(net_twd <> amount_twd - fee_twd)
                            FILTER (WHERE file_id = $1), false)
              FROM concerned JOIN reconciliation_lines USING (trade_number, provider_number)
              JOIN reconciliation_files AS file ON file.id = file_id
             WHERE refunded_at IS NOT NULL AND file.provider = $2
               AND (file.id = $1 OR imported_at IS NOT NULL)
             GROUP BY trade_number, provider_number, amount_twd, refunded_at
             ORDER BY refunded_at
            """,  # noqa: S608 (a constant)
            *asked,
        )
    ]
    ours = [
        Ours((row["trade_number"], row["provider_number"]), *row[2:])
        for row in await tx.fetch(
            f"""
            {_CONCERNED}
            SELECT trade_number, provider_number, made.amount_twd, completed_at, made.id,
                   completed_at >= $3 AND completed_at < $4
              FROM concerned JOIN made USING (trade_number, provider_number)
             ORDER BY completed_at, made.id
            """,  # noqa: S608 (a constant)
            *asked,
        )
    ]
    return pair(theirs, ours)


_CONCERNED = """
    WITH made AS (
        SELECT trade_number, provider_number, refunds.amount_twd, completed_at, refunds.id
          FROM refunds JOIN captures ON captures.id = capture_id
         WHERE provider = $2 AND route = 'provider' AND completed_at IS NOT NULL
    ), concerned AS (
        SELECT trade_number, provider_number FROM reconciliation_lines
         WHERE file_id = $1 AND refunded_at IS NOT NULL
         UNION
        SELECT trade_number, provider_number FROM made
         WHERE completed_at >= $3 AND completed_at < $4
    )
"""


def pair(theirs: Sequence[Theirs], ours: Iterable[Ours]) -> list[Pair]:
    """Pair refunds of the same payment, the oldest first: those of the same amount, whenever we
    heard of it; then those of about the same time."""
    alone = defaultdict[tuple[str, str], list[Ours]](list)
    for our in ours:
        alone[our.payment].append(our)
    pairs = list[Pair]()
    for fits in (_is_same, _is_near):
        left = []
        for their in theirs:
            found = next((our for our in alone[their.payment] if fits(their, our)), None)
            if found is None:
                left.append(their)
            else:
                alone[their.payment].remove(found)
                pairs.append((their, found))
        theirs = left
    pairs += [(their, None) for their in theirs]
    return pairs + [(None, our) for of_payment in alone.values() for our in of_payment]


def _is_same(their: Theirs, our: Ours) -> bool:
    return their.amount_twd == our.amount_twd


def _is_near(their: Theirs, our: Ours) -> bool:
    return abs(their.refunded_at - our.completed_at) <= NEAR


def differ(pairs: Sequence[Pair]) -> list[Found]:
    """Name what does not agree, as far as it is this file's to tell."""
    found = []
    for their, our in pairs:
        line = their.line if their else None
        if line is None and not (our and our.is_judged):
            continue  # another file's, or another day's
        if our is None:
            found.append(_found("refund_not_known", their, our))
        elif their is None:
            found.append(_found("refund_not_in_file", their, our))
        elif not _is_same(their, our):
            found.append(_found("refund_differs", their, our))
        if their and their.net_differs:
            found.append(_found("net_differs", their, None))
    return found


def agree(pairs: Sequence[Pair]) -> list[Found]:
    """Name what an earlier file may have lacked, and stands in one by now."""
    return [
        _found("refund_not_in_file", None, our)
        for their, our in pairs
        if their and our and _is_same(their, our)
    ]


def _found(kind: str, their: Theirs | None, our: Ours | None) -> Found:
    either = their or our
    assert either is not None
    return Found(
        kind,
        their.line if their else None,
        *either.payment,
        their.amount_twd if their else None,
        our.amount_twd if our else None,
        which=str(our.id)
        if our
        else f"{their and their.refunded_at.isoformat()} {either.amount_twd}",
    )
