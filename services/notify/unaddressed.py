"""Letters owed to people of whom it is not known yet how to reach them. Sole writer of the
`unaddressed` table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from shared.db import Tx, affected

# Old ones go in small bites, so that no long transaction keeps the table from being cleaned.
FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Unaddressed:
    """A letter somebody with an account is owed, wherever they can be reached."""

    account_id: UUID
    cause: str
    template: str
    context: Mapping[str, Any]
    useless_after: datetime | None
    mailing: str | None = None


async def keep(tx: Tx, *, owed: Sequence[Unaddressed]) -> None:
    """Keep letters until there is word of their recipients; told twice, they are kept once."""
    await tx.execute(
        """
        INSERT INTO unaddressed (account_id, cause, template, context, useless_after, mailing)
        SELECT account_id, cause, template, context::jsonb, useless_after, mailing
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
                      $6::text[])
               AS owed (account_id, cause, template, context, useless_after, mailing)
        ON CONFLICT DO NOTHING
        """,
        [letter.account_id for letter in owed],
        [letter.cause for letter in owed],
        [letter.template for letter in owed],
        [to_json(dict(letter.context)).decode() for letter in owed],
        [letter.useless_after for letter in owed],
        [letter.mailing for letter in owed],
    )


async def take(tx: Tx, *, account_ids: Sequence[UUID]) -> list[Unaddressed]:
    """Take out what is owed to these people, the oldest first."""
    rows = await tx.fetch(
        """
        WITH taken AS (
            DELETE FROM unaddressed WHERE account_id = ANY($1::uuid[])
            RETURNING account_id, cause, template, context, useless_after, mailing, owed_at
        )
        SELECT account_id, cause, template, context, useless_after, mailing
          FROM taken ORDER BY owed_at
        """,
        account_ids,
    )
    return [Unaddressed(**row) for row in rows]


async def count(tx: Tx) -> int:
    found: int = await tx.fetchval("SELECT count(*) FROM unaddressed")
    return found


async def count_of_mailing(tx: Tx, *, mailing: str) -> int:
    found: int = await tx.fetchval("SELECT count(*) FROM unaddressed WHERE mailing = $1", mailing)
    return found


async def forget_old(tx: Tx, *, before: datetime) -> int:
    """Forget what nobody was found for."""
    deleted: str = await tx.execute(
        """
        DELETE FROM unaddressed
         WHERE (account_id, cause, template) IN (
               SELECT account_id, cause, template FROM unaddressed WHERE owed_at < $1 LIMIT $2)
        """,
        before,
        FORGOTTEN_AT_ONCE,
    )
    return affected(deleted)
