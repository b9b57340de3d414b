"""Dead letters: an operator looks at them, and gives them back after the repair."""

import pytest

from shared import dead_letters
from shared.outbox import Message
from tests.effects import NumberAnnounced, repair
from tests.shared.conftest import Line, message, running


def poison(number: int) -> Message:
    return message(NumberAnnounced(number=number, is_poison=True))


async def bury(line: Line, *messages: Message) -> None:
    await line.send(*messages)
    async with running(line.consumer()):
        await line.see_dead(len(messages))


async def test_looking_at_dead_letters_leaves_them_there(line: Line) -> None:
    await bury(line, poison(1), poison(2))
    for _ in range(3):
        letters = await line.dead()
        assert sorted(letter.reason for letter in letters) == [
            "Poisonous('cannot handle 1')",
            "Poisonous('cannot handle 2')",
        ]


async def test_after_a_repair_replayed_letters_take_effect(line: Line) -> None:
    await bury(line, poison(1), poison(2))
    await repair(line.pool)
    assert await dead_letters.replay(line.amqp_url, line.service) == 2
    assert await line.dead() == []
    async with running(line.consumer()):
        await line.see(1, 2)


async def test_only_the_chosen_letters_are_replayed(line: Line) -> None:
    first, second, third = poison(1), poison(2), poison(3)
    await bury(line, first, second, third)
    await repair(line.pool)
    chosen = {str(second.message_id), "never heard of"}
    assert await dead_letters.replay(line.amqp_url, line.service, chosen) == 1
    async with running(line.consumer()):
        await line.see(2)
    left = {letter.message_id for letter in await line.dead()}
    assert left == {str(first.message_id), str(third.message_id)}


async def test_a_letter_replayed_without_a_repair_dies_again_with_its_reason(line: Line) -> None:
    await bury(line, poison(1))
    async with running(line.consumer()):
        assert await dead_letters.replay(line.amqp_url, line.service) == 1
        [letter] = await line.see_dead(1)
    assert letter.reason == "Poisonous('cannot handle 1')"


async def test_a_letter_replayed_to_one_service_reaches_no_other(
    line: Line, other_line: Line
) -> None:
    await bury(line, poison(1))
    await dead_letters.replay(line.amqp_url, line.service)
    assert await line.waiting() == 1
    assert await other_line.waiting() == 0


async def test_all_letters_are_replayed_though_only_some_are_shown(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bury(line, *(poison(number) for number in range(5)))
    monkeypatch.setattr(dead_letters, "SHOWN_AT_ONCE", 2)
    assert len(await line.dead()) == 2
    assert await dead_letters.replay(line.amqp_url, line.service) == 5


async def test_a_letter_the_broker_buried_says_so(line: Line) -> None:
    sent = message(1)
    await line.send(sent)
    await line.exhaust_deliveries()
    [letter] = await line.see_dead(1)
    assert (letter.message_id, letter.reason) == (str(sent.message_id), "delivery_limit")
    assert await line.waiting() == 0
    await dead_letters.replay(line.amqp_url, line.service)
    async with running(line.consumer()):
        await line.see(1)
