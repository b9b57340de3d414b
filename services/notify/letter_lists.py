"""Letters as staff look at them: searched, counted, one with its history. Writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notify import rules
from shared.db import Tx
from shared.errors import NoSuchPage

STATES = ("queued", "sending", "retrying", "sent", "failed", "given_up")
UNDER_WAY = ("queued", "sending", "retrying")
# A file somebody opens in a spreadsheet; more than this is asked for in parts.
LONGEST_EXPORT = 50_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody searches for; what is empty does not matter."""

    address: str = ""
    state: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A letter in a list."""

    id: UUID
    template: str
    recipient: str
    language: str
    state: str
    attempts: int
    written_at: datetime
    settled_at: datetime | None
    last_reply: str | None


async def search(tx: Tx, *, wanted: Wanted, limit: int, after: UUID | None = None) -> list[Found]:
    """Find letters, newest first, those after one that was shown last."""
    rows = await tx.fetch(
        """
        SELECT id, template, recipient, language, state, attempts, written_at, settled_at,
               last_reply
          FROM letters
         WHERE ($1 = '' OR strpos(recipient_key, $1) > 0)
           AND ($2 = '' OR state = $2)
           AND ($3 = '' OR template = $3)
           AND ($4::uuid IS NULL
                OR (written_at, id) < (SELECT written_at, id FROM letters WHERE id = $4))
         ORDER BY written_at DESC, id DESC
         LIMIT $5
        """,
        rules.key_of(wanted.address),
        wanted.state,
        wanted.template,
        after,
        limit,
    )
    return [Found(**row) for row in rows]


async def count_states(tx: Tx) -> dict[str, int]:
    rows = await tx.fetch("SELECT state, count(*) AS count FROM letters GROUP BY state")
    counts = {row["state"]: row["count"] for row in rows}
    return {state: counts.get(state, 0) for state in STATES}


@dataclass(frozen=True, slots=True)
class Mailing:
    """How far the letters of one kind about one sitting are."""

    mailing: str
    template: str
    counts: Mapping[str, int]


async def list_mailings(tx: Tx, *, mailing: str | None = None) -> list[Mailing]:
    """How far each mailing is; or those about one thing."""
    rows = await tx.fetch(
        """
        SELECT mailing, template, state, count(*) AS count FROM letters
         WHERE mailing IS NOT NULL AND ($1::text IS NULL OR mailing = $1)
         GROUP BY mailing, template, state
         ORDER BY mailing, template
        """,
        mailing,
    )
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        found = counts.setdefault((row["mailing"], row["template"]), dict.fromkeys(STATES, 0))
        found[row["state"]] = row["count"]
    return [Mailing(*names, found) for names, found in counts.items()]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is owed and has not arrived."""

    letters: int
    oldest_seconds: float


async def measure_backlog(tx: Tx) -> Backlog:
    row = await tx.fetchrow(
        """
        SELECT count(*) AS letters,
               COALESCE(EXTRACT(EPOCH FROM now() - min(written_at)), 0)::float8 AS oldest_seconds
          FROM letters WHERE state IN ('queued', 'sending', 'retrying')
        """
    )
    assert row is not None
    return Backlog(**row)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter with all that is known of it."""

    id: UUID
    cause: str
    template: str
    recipient: str
    recipient_key: str
    person: str
    language: str
    context: Mapping[str, Any] | None
    state: str
    round: int
    attempts: int
    written_at: datetime
    due_at: datetime
    give_up_by: datetime
    settled_at: datetime | None
    last_reply: str | None

    @property
    def is_settled(self) -> bool:
        return self.state in {"sent", "failed", "given_up"}

    @property
    def can_be_sent_again(self) -> bool:
        return self.is_settled and self.context is not None and "link" not in self.context


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try."""

    round: int
    fate: str
    reply: str
    ended_at: datetime


async def load(tx: Tx, *, letter_id: UUID) -> Letter:
    row = await tx.fetchrow(
        """
        SELECT id, cause, template, recipient, recipient_key, person, language, context, state,
               round, attempts, written_at, due_at, give_up_by, settled_at, last_reply
          FROM letters WHERE id = $1
        """,
        letter_id,
    )
    if row is None:
        raise NoSuchPage
    return Letter(**row)


async def list_attempts(tx: Tx, *, letter_id: UUID) -> list[Attempt]:
    rows = await tx.fetch(
        """
        SELECT round, fate, reply, ended_at FROM letter_attempts
         WHERE letter_id = $1 ORDER BY claim
        """,
        letter_id,
    )
    return [Attempt(**row) for row in rows]
