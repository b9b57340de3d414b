"""Guessing a secret number: few looks for each ID number, each network, and the whole site."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.identity import secret_numbers
from services.identity.known_entries import Entry
from services.identity.limits import TooOften
from services.identity.secret_numbers import (
    ALLOWED,
    FIRST_LOCK,
    LEFT_TO_EACH_NETWORK,
    WRONG_EVERYWHERE,
    WRONG_FROM_NETWORK,
    TriedTooOften,
)
from shared.db import Pool, transaction
from shared.vault import Vault
from tests.conftest import MakeDatabase
from tests.identity.holders import (
    ID_NUMBER,
    NOBODYS,
    RECORDED_AT,
    SECRET,
    Portal,
    another,
    open_portal,
    tell,
)

START = datetime(2026, 4, 1, tzinfo=UTC)
HOME = "198.51.100.0/24"
WRONG = "0000"
LOOKS = ALLOWED + 1


@pytest.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    async with open_portal(make_database) as portal:
        yield portal


@pytest.fixture
def guesser(portal: Portal) -> "Guesser":
    return Guesser(portal.pool, portal.site.vault)


class Guesser:
    """Somebody who tries numbers; `look` says what came of it."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self.pool, self.vault = pool, vault

    async def prove(self, secret: str, id_number: str, network: str, now: datetime) -> Entry | None:
        async with transaction(self.pool) as tx:
            return await secret_numbers.prove(
                tx,
                self.vault,
                id_number=id_number,
                secret_number=secret,
                network=network,
                now=now,
            )

    async def look(
        self,
        secret: str = WRONG,
        *,
        id_number: str = ID_NUMBER,
        network: str = HOME,
        now: datetime = START,
    ) -> str:
        try:
            entry = await self.prove(secret, id_number, network, now)
        except TriedTooOften:
            return "locked"
        except TooOften:
            return "too often"
        return "right" if entry else "wrong"


async def test_the_right_number_finds_its_entry(guesser: Guesser) -> None:
    entry = await guesser.prove(SECRET, ID_NUMBER, HOME, START)
    assert entry is not None
    assert entry.id_number == ID_NUMBER
    assert await guesser.look() == "wrong"


async def test_more_than_three_wrong_tries_lock_even_for_the_right_number(guesser: Guesser) -> None:
    assert [await guesser.look() for _ in range(LOOKS)] == ["wrong"] * LOOKS
    assert await guesser.look(SECRET) == "locked"
    assert await guesser.look(SECRET, network="203.0.113.0/24") == "locked", "from anywhere"


async def test_an_unknown_id_number_is_locked_just_the_same(guesser: Guesser) -> None:
    seen = [await guesser.look(SECRET, id_number=NOBODYS) for _ in range(LOOKS + 1)]
    assert seen == [await guesser.look() for _ in range(LOOKS + 1)]


async def test_each_further_wrong_try_locks_twice_as_long(guesser: Guesser) -> None:
    now, lock = START, FIRST_LOCK
    for _ in range(LOOKS):
        await guesser.look(now=now)
    for _ in range(5):
        moment = timedelta(microseconds=1)
        assert await guesser.look(now=now + lock - moment) == "locked"
        now += lock
        assert await guesser.look(now=now) == "wrong"
        lock *= 2
    assert await guesser.look(SECRET, now=now + lock) == "right", "its holder is never shut out"


async def test_whoever_never_gives_up_gets_sixteen_looks_in_three_months(guesser: Guesser) -> None:
    looks, now = 0, START
    while now < START + timedelta(days=90):
        assert await guesser.look(now=now) == "wrong"
        looks += 1
        now = await guesser.pool.fetchval("SELECT locked_until FROM secret_tries") or now
    assert looks == 16


async def test_the_right_number_begins_anew(guesser: Guesser) -> None:
    for _ in range(3):
        assert [await guesser.look() for _ in range(ALLOWED)] == ["wrong"] * ALLOWED
        assert await guesser.look(SECRET) == "right"


async def test_a_new_secret_number_begins_anew_and_stops_the_old_one(
    portal: Portal, guesser: Guesser
) -> None:
    for _ in range(LOOKS):
        await guesser.look()
    assert await guesser.look(SECRET) == "locked"
    await portal.tell(secret="2468", recorded_at=RECORDED_AT + timedelta(days=1))
    assert await guesser.look(SECRET) == "wrong"
    assert await guesser.look("2468") == "right"


async def test_a_cancelled_entry_has_no_right_number(portal: Portal, guesser: Guesser) -> None:
    await portal.tell(is_cancelled=True, recorded_at=RECORDED_AT + timedelta(days=1))
    assert await guesser.look(SECRET) == "wrong"


@pytest.mark.variant
async def test_ten_thousand_guesses_at_once_get_four_looks(guesser: Guesser) -> None:
    """From as many networks: so that nothing but the ID number's own count is in the way."""
    seen = []
    for hundred in range(100):
        seen += await asyncio.gather(
            *(
                guesser.look(f"{hundred * 100 + one:04}", network=f"net {hundred} {one}")
                for one in range(100)
            )
        )
    assert seen.count("wrong") + seen.count("right") == LOOKS
    assert seen.count("locked") == 10_000 - LOOKS


async def test_one_network_may_be_wrong_so_often_over_all_id_numbers(guesser: Guesser) -> None:
    async def look(number: int, now: datetime) -> str:
        return await guesser.look(id_number=f"SMR{number:06}", now=now)

    seen = [await look(number, START) for number in range(40)]
    assert seen == ["wrong"] * WRONG_FROM_NETWORK.most + ["too often"] * 10
    assert await guesser.look(SECRET, network="203.0.113.0/24") == "right", "others may go on"
    assert await look(99, START + WRONG_FROM_NETWORK.within) == "wrong"


async def test_a_network_that_is_refused_does_not_lock_id_numbers(guesser: Guesser) -> None:
    for number in range(WRONG_FROM_NETWORK.most):
        await guesser.look(id_number=f"SMR{number:06}")
    for _ in range(20):
        assert await guesser.look() == "too often"
    assert await guesser.look(SECRET, network="203.0.113.0/24") == "right"


async def test_a_whole_school_registers_from_one_network(portal: Portal, guesser: Guesser) -> None:
    pupils = [f"SCH{number:06}" for number in range(WRONG_FROM_NETWORK.most * 3)]
    vault = portal.site.vault
    await tell(portal.pool, *(another(vault, id_number) for id_number in pupils))
    for number, id_number in enumerate(pupils):
        if number % 5 == 0:
            assert await guesser.look(id_number=id_number) == "wrong"
        assert await guesser.look(SECRET, id_number=id_number) == "right"


async def guess_from_everywhere(guesser: Guesser, *, times: int) -> None:
    for number in range(times):
        await guesser.look(id_number=f"ATK{number:06}", network=f"botnet {number // 20}")


async def test_an_attack_from_everywhere_keeps_no_quiet_network_out(guesser: Guesser) -> None:
    await guess_from_everywhere(guesser, times=WRONG_EVERYWHERE.most + 1)
    assert await guesser.look(SECRET) == "right"
    for _ in range(LEFT_TO_EACH_NETWORK):
        assert await guesser.look() == "wrong", "people mistype during an attack, too"
    assert await guesser.look(SECRET) == "too often", "but this network is like the others now"


async def test_an_attack_from_everywhere_gets_fewer_looks_and_is_written_down(
    guesser: Guesser,
) -> None:
    await guess_from_everywhere(guesser, times=WRONG_EVERYWHERE.most)
    seen = [
        await guesser.look(id_number=f"MOR{number:06}", network="late to the botnet")
        for number in range(20)
    ]
    assert seen == ["wrong"] * LEFT_TO_EACH_NETWORK + ["too often"] * 17
    noticed = "SELECT count(*) FROM audit_lines WHERE act = 'guessing_noticed'"
    assert await guesser.pool.fetchval(noticed) == 1


async def test_a_crowd_that_is_mostly_right_is_no_attack(portal: Portal, guesser: Guesser) -> None:
    crowd = [f"CRD{number:06}" for number in range(WRONG_EVERYWHERE.most + 50)]
    await tell(portal.pool, *(another(portal.site.vault, id_number) for id_number in crowd))
    for number, id_number in enumerate(crowd):
        network = f"home {number}"
        assert await guesser.look(id_number=id_number, network=network) == "wrong"
        assert await guesser.look(SECRET, id_number=id_number, network=network) == "right"
        async with transaction(guesser.pool) as tx:
            await secret_numbers.vouch(tx)  # as registering does
    noticed = "SELECT count(*) FROM audit_lines WHERE act = 'guessing_noticed'"
    assert await guesser.pool.fetchval(noticed) == 0


async def test_one_right_number_shown_again_and_again_hides_no_attack(guesser: Guesser) -> None:
    for number in range(WRONG_EVERYWHERE.most + 1):
        await guesser.look(id_number=f"ATK{number:06}", network=f"botnet {number // 20}")
        assert await guesser.look(SECRET, network="the attacker's own") == "right"
    noticed = "SELECT count(*) FROM audit_lines WHERE act = 'guessing_noticed'"
    assert await guesser.pool.fetchval(noticed) == 1


async def test_old_tries_are_forgotten(guesser: Guesser) -> None:
    await guesser.look()
    async with transaction(guesser.pool) as tx:
        assert await secret_numbers.forget_old(tx, now=START + timedelta(days=300)) == 0
        assert await secret_numbers.forget_old(tx, now=START + timedelta(days=366)) == 1
