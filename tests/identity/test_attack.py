"""Guessing over HTTP, at a process as it runs in production; tests.bench attack does more of it."""

from collections import Counter

from services.identity.pages.proving import LOCKED
from services.identity.pages.signing_in import WRONG
from tests.bench.attack import IN, LOOKS, ONE_IN_SO_MANY_KNOWS, OWNER_SIGNS_IN, attack
from tests.conftest import MakeDatabase

TRIES = 1_000


async def test_strangers_get_four_looks_at_a_password_and_its_owner_is_never_kept_out(
    make_database: MakeDatabase, amqp_url: str
) -> None:
    found = await attack(await make_database("identity"), amqp_url, tries=TRIES)
    those_who_know = TRIES // ONE_IN_SO_MANY_KNOWS
    assert found.answers_to_strangers == Counter(
        {WRONG: LOOKS, LOCKED: TRIES - those_who_know - LOOKS}
    )
    assert found.passwords_found_wrong == LOOKS
    assert found.answers_to_those_who_know == Counter({LOCKED: those_who_know})
    assert found.answers_to_the_owner == Counter({IN: OWNER_SIGNS_IN})
    assert found.locks == 1
