"""Idempotency keys: a call that is repeated gets the same answer, and nothing happens twice.

Sole writer of the `idempotency_keys` table. A key is written in the transaction of what the call
does: whoever repeats it meanwhile waits for that transaction, and then reads what was answered.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias
from uuid import UUID

from shared.db import Tx, affected
from shared.errors import Refused

KEPT_FOR = timedelta(hours=24)
FORGOTTEN_AT_ONCE = 5_000


class KeyReused(Refused):
    """This Idempotency-Key came with another request before. Choose a new key for a new request."""

    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Keyed:
    """A call that changes something, under the key that its program chose for it."""

    token_id: UUID
    key: str
    request: bytes  # a digest of what is asked


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    body: bytes
    is_repeated: bool = False


# None: it is new, go ahead and keep what you answer.
Before: TypeAlias = Answer | KeyReused | None


def digest(method: str, path: str, body: bytes) -> bytes:
    """Tell one request from another."""
    told = hashlib.sha256(f"{method} {path}\n".encode())
    told.update(body)
    return told.digest()


async def begin(tx: Tx, *, calls: Sequence[Keyed], now: datetime) -> list[Before]:
    """Tell of each call whether it is new, or what was answered to it before.

    No two of the calls may have the same key.
    """
    # In one order whoever writes, so that two processes never wait for each other.
    ordered = sorted(calls, key=lambda call: (call.token_id, call.key))
    new = await tx.fetch(
        """
        INSERT INTO idempotency_keys AS kept (token_id, key, request, kept_at)
        SELECT token_id, key, request, $4
          FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS call (token_id, key, request)
        ON CONFLICT (token_id, key) DO UPDATE
           SET request = EXCLUDED.request, kept_at = EXCLUDED.kept_at, status = NULL, body = NULL
         WHERE kept.kept_at <= $5
        RETURNING token_id, key
        """,
        [call.token_id for call in ordered],
        [call.key for call in ordered],
        [call.request for call in ordered],
        now,
        now - KEPT_FOR,
    )
    is_new = {(row["token_id"], row["key"]) for row in new}
    known = [call for call in calls if (call.token_id, call.key) not in is_new]
    kept = await _load(tx, known) if known else {}
    return [kept.get((call.token_id, call.key)) for call in calls]


async def find(tx: Tx, *, call: Keyed) -> Before:
    """Look what was answered to a call before, without beginning it."""
    return (await _load(tx, [call])).get((call.token_id, call.key))


async def _load(tx: Tx, calls: Sequence[Keyed]) -> dict[tuple[UUID, str], Before]:
    rows = await tx.fetch(
        """
        SELECT token_id, key, status, body, kept.request = call.request AS is_same
          FROM idempotency_keys AS kept
          JOIN unnest($1::uuid[], $2::text[], $3::bytea[]) AS call (token_id, key, request)
         USING (token_id, key)
        """,
        [call.token_id for call in calls],
        [call.key for call in calls],
        [call.request for call in calls],
    )
    return {
        (row["token_id"], row["key"]): (
            Answer(row["status"], row["body"], is_repeated=True) if row["is_same"] else KeyReused()
        )
        for row in rows
    }


async def keep(tx: Tx, *, answers: Sequence[tuple[Keyed, Answer]]) -> None:
    """Remember what was answered, in the transaction that makes it true."""
    await tx.execute(
        """
        UPDATE idempotency_keys AS kept SET status = answer.status, body = answer.body
          FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::bytea[])
               AS answer (token_id, key, status, body)
         WHERE (kept.token_id, kept.key) = (answer.token_id, answer.key)
        """,
        [call.token_id for call, _ in answers],
        [call.key for call, _ in answers],
        [answer.status for _, answer in answers],
        [answer.body for _, answer in answers],
    )


async def drop(tx: Tx, *, calls: Sequence[Keyed]) -> None:
    """Forget calls that were told to come again later."""
    await tx.execute(
        """
        DELETE FROM idempotency_keys
         WHERE (token_id, key) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
        """,
        [call.token_id for call in calls],
        [call.key for call in calls],
    )


async def forget_old(tx: Tx, *, now: datetime) -> int:
    """Forget keys that are older than we promise to remember."""
    forgotten: str = await tx.execute(
        """
        DELETE FROM idempotency_keys WHERE (token_id, key) IN (
            SELECT token_id, key FROM idempotency_keys WHERE kept_at <= $1 LIMIT $2)
        """,
        now - KEPT_FOR,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)
