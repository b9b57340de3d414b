"""The audit log: written with the act, sealed afterwards, and every tampering is named."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared import audit, db
from shared.audit import Head, Line, Verdict
from shared.db import Connection, Pool, transaction
from shared.events.audit import LogSealed

LINES = 5

SWAP_TWO_LINKS = """
    CREATE TEMP TABLE two AS SELECT * FROM audit_chain WHERE position IN (2, 3);
    DELETE FROM audit_chain WHERE position IN (2, 3);
    INSERT INTO audit_chain SELECT 5 - position, line_id, line_digest, digest, sealed_at FROM two;
"""


async def act(pool: Pool, count: int = LINES) -> None:
    async with transaction(pool) as tx:
        await audit.record(
            tx,
            [Line("somebody", "did_something", f"thing {n}", {"n": n}) for n in range(count)],
        )


async def seal(pool: Pool) -> int:
    async with transaction(pool) as tx:
        return await audit.seal(tx, service="test")


async def verify(pool: Pool, *witnessed: Head) -> Verdict:
    async with transaction(pool) as tx:
        return await audit.verify(tx, witnessed=witnessed)


@pytest.fixture
async def sealed(pool: Pool) -> Pool:
    await act(pool)
    assert await seal(pool) == LINES
    return pool


@pytest.fixture
async def intruder(sealed: Pool, database_url: str) -> AsyncIterator[Connection]:
    """Somebody with the database's own rights, who switched the guards off."""
    connection = await db.connect(database_url, application="intruder")
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def head(pool: Pool) -> Head:
    row = await pool.fetchrow("SELECT position, digest FROM audit_chain ORDER BY position DESC")
    assert row is not None
    return Head(**row)


async def test_a_sealed_log_is_whole(sealed: Pool) -> None:
    assert await verify(sealed) == Verdict(LINES, None)
    assert await seal(sealed) == 0
    await act(sealed)
    assert await verify(sealed) == Verdict(LINES, None), "lines not yet sealed are no break"
    assert await seal(sealed) == LINES
    assert await verify(sealed, await head(sealed)) == Verdict(2 * LINES, None)


async def test_an_act_that_fails_leaves_no_line(pool: Pool) -> None:
    async def act_and_fail() -> None:
        async with transaction(pool) as tx:
            await audit.record(tx, [Line("somebody", "did_something", "thing", {})])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await act_and_fail()
    assert await seal(pool) == 0


async def test_lines_that_commit_out_of_order_are_all_sealed(pool: Pool, database_url: str) -> None:
    slow = await db.connect(database_url, application="slow")
    early = slow.transaction()
    await early.start()
    await audit.record(slow, [Line("somebody", "came_first", "thing", {})])
    await act(pool)
    assert await seal(pool) == LINES
    await early.commit()
    assert await seal(pool) == 1
    assert await verify(pool) == Verdict(LINES + 1, None)
    await slow.close()


@pytest.mark.parametrize("table", ["audit_lines", "audit_chain"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_database_refuses_to_change_the_log(
    sealed: Pool, table: str, change: str
) -> None:
    column = "act = 'x'" if table == "audit_lines" else "position = 9"
    with pytest.raises(asyncpg.RestrictViolationError):
        await sealed.execute(change.format(table, column))


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("UPDATE audit_lines SET act = 'nothing' WHERE id = 3", "line 3 (position 3) was changed"),
        ("UPDATE audit_lines SET details = '{}' WHERE id = 2", "line 2 (position 2) was changed"),
        ("DELETE FROM audit_lines WHERE id = 4", "line 4 (position 4) was removed"),
        ("DELETE FROM audit_chain WHERE position = 3", "position 3 was removed"),
        (SWAP_TWO_LINKS, "line 3 (position 2) is not where it was sealed"),
        (
            "INSERT INTO audit_lines (actor, act, subject, details) VALUES ('x', 'y', 'z', '{}')",
            "line 6 was never sealed",
        ),
    ],
)
async def test_the_first_break_is_named(
    sealed: Pool, intruder: Connection, tampering: str, named: str
) -> None:
    await intruder.execute(tampering)
    verdict = await verify(sealed)
    assert verdict.first_break is not None
    assert named in verdict.first_break


async def test_a_cut_tail_is_noticed_by_what_others_saw(sealed: Pool, intruder: Connection) -> None:
    seen = await head(sealed)
    await intruder.execute("DELETE FROM audit_chain WHERE position > 3")
    await intruder.execute("DELETE FROM audit_lines WHERE id > 3")
    assert await verify(sealed) == Verdict(3, None), "by itself a shorter chain is a whole chain"
    verdict = await verify(sealed, seen)
    assert verdict.first_break == "the tail is cut: 5 links were witnessed, 3 are left"


async def test_a_chain_forged_from_end_to_end_is_noticed_by_what_others_saw(
    sealed: Pool, intruder: Connection
) -> None:
    seen = await head(sealed)
    await intruder.execute("UPDATE audit_lines SET actor = 'somebody else'")
    await intruder.execute("DELETE FROM audit_chain")
    await intruder.execute("INSERT INTO audit_unsealed SELECT id FROM audit_lines")
    await seal(sealed)
    assert await verify(sealed) == Verdict(LINES, None)
    verdict = await verify(sealed, seen)
    assert verdict.first_break is not None
    assert "the chain was rewritten" in verdict.first_break


async def test_a_witness_keeps_the_newest_head_whatever_the_order(pool: Pool) -> None:
    def sealed_at(position: int) -> LogSealed:
        return LogSealed(service="other", position=position, digest=f"{position:064x}")

    async with transaction(pool) as tx:
        await audit.witness(tx, [sealed_at(7), sealed_at(5)])
        await audit.witness(tx, [sealed_at(6)])
        witnessed = await audit.list_witnessed(tx)
    assert witnessed == {"other": Head(7, (7).to_bytes(32))}
