"""The ledger's proof: it holds, and it does not when a dollar is lost, doubled or invented."""

import asyncio
from argparse import Namespace

import pytest

from services.payments import ledger
from services.payments.commands import COMMANDS
from tests.payments.till import Till

BREAKAGES = {
    "a payment without its entry": "DELETE FROM ledger_entries WHERE kind = 'order_paid'",
    "an invented entry": """
        INSERT INTO ledger_entries (kind, debit, credit, amount_twd)
        VALUES ('order_paid', 'ecpay', 'receivable', 250)
    """,
    "a changed amount": "UPDATE ledger_entries SET amount_twd = 251 WHERE kind = 'order_paid'",
    "an order that forgot": """
        UPDATE orders SET state = 'open', paid_at = NULL WHERE state = 'paid'
    """,
    "an order that nobody paid": """
        UPDATE orders SET state = 'paid', paid_at = now(), lapsed_at = NULL
         WHERE state = 'lapsed'
    """,
    "a lost capture": "DELETE FROM captures WHERE kind = 'order'",
    "a doubled capture": """
        INSERT INTO captures SELECT gen_random_uuid(), provider, trade_number, 'again', method,
               attempt_id, order_id, 'overpaid', amount_twd, paid_at, settled_at FROM captures
         WHERE kind = 'order'
    """,
    "money at another provider": "UPDATE captures SET provider = 'line_pay' WHERE kind = 'order'",
    "an order that was paid back in words": "UPDATE orders SET refunded_twd = 1, "
    "state = 'partly_refunded' WHERE state = 'paid'",
    "a lapsed order that is still owed": "DELETE FROM ledger_entries WHERE kind = 'order_lapsed'",
}


async def fill(till: Till) -> None:
    """An order that is paid twice, and one that lapsed."""
    await till.owe()
    await till.pool.execute("UPDATE orders SET pay_by = $1", till.now)
    await till.lapse()
    order = await till.owe()
    first, second = await till.begin(order, "card"), await till.begin(order, "atm")
    await till.pay(first)
    await till.learn()
    await till.pay(second)
    await till.learn()


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_what_is_not_so_is_found(till: Till, breakage: str) -> None:
    await fill(till)
    await till.see_every_dollar()
    async with till.pool.acquire() as connection:
        for table in ("ledger_entries", "captures"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        await connection.execute(BREAKAGES[breakage])
        broken = [check.what for check in await ledger.verify(connection) if not check.holds]
    assert broken != []


async def test_the_command_says_what_holds_and_what_does_not(
    till: Till, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(till)
    run = COMMANDS["ledger"].run
    assert await run(till.settings, Namespace(action="verify")) == 0
    said = capsys.readouterr().out
    assert "BROKEN" not in said
    assert "receivable" in said
    await till.pool.execute("ALTER TABLE ledger_entries DISABLE TRIGGER USER")
    await till.pool.execute(BREAKAGES["a payment without its entry"])
    assert await run(till.settings, Namespace(action="verify")) == 1
    assert "BROKEN: should be 500" in capsys.readouterr().out


async def test_an_order_has_its_whole_history(till: Till) -> None:
    await fill(till)
    order_id = await till.pool.fetchval("SELECT id FROM orders WHERE state = 'paid'")
    async with till.pool.acquire() as connection:
        lines = await ledger.list_of_order(connection, order_id=order_id)
    assert [(line.kind, line.debit, line.credit, line.amount_twd) for line in lines] == [
        ("order_opened", "receivable", "fees", 250),
        ("order_paid", "ecpay", "receivable", 250),
        ("surplus_received", "ecpay", "surplus", 250),
    ]


async def test_a_hundred_payments_at_once_are_all_in_the_book(till: Till) -> None:
    submitted = [till.submitted() for _ in range(100)]
    await till.hear(*submitted)
    orders = [await till.order_of(each) for each in submitted]
    opened = [await till.begin(order, "card") for order in orders]
    await asyncio.gather(*(till.pay(each) for each in opened))
    assert set(await till.learn()) == {"200 1|OK"}
    assert await till.kinds() == {"order": 100}
    assert (await till.news())["order_paid"] == 100
    await till.see_every_dollar()
