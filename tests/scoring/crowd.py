"""A crowd that waits for its results, written straight into the tables: many are no work."""

from hashlib import md5
from uuid import UUID

from services.scoring import sittings
from shared.db import Pool, transaction
from tests.scoring.world import BASIC, ENTERED_AT, EXAMINER, entered


def account_of(number: int) -> UUID:
    return UUID(md5(f"account {number}".encode(), usedforsecurity=False).hexdigest())


def entry_of(number: int) -> UUID:
    return UUID(md5(f"entry {number}".encode(), usedforsecurity=False).hexdigest())


def address_of(number: int) -> str:
    return f"candidate{number}@exam.example"


async def enter(scoring: Pool, count: int, *, registered: int) -> None:
    """Let so many have sat an exam and be scored, the first of whom have registered for results."""
    async with transaction(scoring) as tx:
        await sittings.note(tx, recorded=[entered(0)])
        await tx.execute(
            """
            INSERT INTO candidates (entry_id, sitting, id_number, secret_digest, person_name,
                                    birth_date, candidate_number, is_cancelled, recorded_at)
            SELECT md5('entry ' || n)::uuid, $1, lpad(n::text, 6, '0') || 'HKC', repeat('0', 64),
                   '考生' || n, '1990-05-17', 'R-' || n, false, $2
              FROM generate_series(0, $3 - 1) AS n
            """,
            BASIC,
            ENTERED_AT,
            count,
        )
        await tx.execute(
            """
            INSERT INTO scores (entry_id, sitting, given, is_absent, entered_by, entered_at)
            SELECT md5('entry ' || n)::uuid, $1,
                   jsonb_build_object('listening', jsonb_build_object('all', (n % 31)::text),
                                      'speaking', jsonb_build_object('all', (n % 51)::text),
                                      'reading', jsonb_build_object('all', (n % 21)::text)),
                   false, $2, $3
              FROM generate_series(0, $4 - 1) AS n
            """,
            BASIC,
            EXAMINER,
            ENTERED_AT,
            count,
        )
        await tx.execute(
            """
            INSERT INTO holders (entry_id, account_id, registered_at)
            SELECT md5('entry ' || n)::uuid, md5('account ' || n)::uuid, $1
              FROM generate_series(0, $2 - 1) AS n
            """,
            ENTERED_AT,
            registered,
        )
        await tx.execute(
            "INSERT INTO contributors (sitting, account_id) VALUES ($1, $2)", BASIC, EXAMINER
        )
    await scoring.execute("VACUUM (ANALYZE)")


async def give_addresses(notify: Pool, count: int) -> None:
    await notify.execute(
        """
        INSERT INTO contacts (account_id, email, person, language, changed_at)
        SELECT md5('account ' || n)::uuid, 'candidate' || n || '@exam.example', '考生' || n,
               CASE n % 2 WHEN 0 THEN 'zh-Hant-TW' ELSE 'en' END, now()
          FROM generate_series(0, $1 - 1) AS n
        """,
        count,
    )
    await notify.execute("VACUUM (ANALYZE)")
