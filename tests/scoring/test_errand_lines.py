"""What the audit log has of an errand: the click, and what came of it, each at its own instant."""

from services.scoring.schedule import do_errands
from shared import audit
from shared.db import Pool, transaction
from tests.scoring.test_errands import ask_to_approve, ask_to_compute, get_ready
from tests.scoring.world import EXAMINER, NOW, RELEASER, import_, scored, table


async def test_the_log_tells_when_somebody_asked_and_when_it_was_done(pool: Pool) -> None:
    await get_ready(pool)
    last = await pool.fetchval("SELECT max(id) FROM audit_lines")
    await ask_to_approve(pool)
    await ask_to_approve(pool)  # a second click asks for nothing more
    clicked_by = await pool.fetchval("SELECT clock_timestamp()")
    await do_errands(pool, NOW)
    lines = await pool.fetch(
        "SELECT act, actor, recorded_at < $2 FROM audit_lines WHERE id > $1 ORDER BY id",
        last,
        clicked_by,
    )
    assert [tuple(line) for line in lines] == [
        ("approval_asked", str(RELEASER), True),
        ("results_approved", str(RELEASER), False),
    ]
    async with transaction(pool) as tx:
        await audit.seal(tx, service="scoring")
        assert (await audit.verify(tx)).first_break is None


async def test_whoever_asked_for_a_computation_stands_in_the_log(pool: Pool) -> None:
    await get_ready(pool)
    await ask_to_compute(pool)
    await do_errands(pool, NOW)
    async with transaction(pool) as tx:
        lines = await audit.list_newest(tx, limit=2)
    assert [(line.act, line.actor) for line in lines] == [
        ("results_computed", str(EXAMINER)),
        ("computation_asked", str(EXAMINER)),
    ]


async def test_the_log_tells_why_something_was_not_done(pool: Pool) -> None:
    await get_ready(pool)
    await ask_to_approve(pool)
    await import_(pool, table(scored(0, ("1", "1", "1"))))
    await do_errands(pool, NOW)
    async with transaction(pool) as tx:
        newest_line, *_ = await audit.list_newest(tx, limit=1)
    assert (newest_line.actor, newest_line.act) == ("job", "approval_refused")
