"""Letters: leases that run out, outcomes that come late, and what is kept when."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notify import letters
from services.notify.channels import Fate
from services.notify.letters import Settlement
from services.notify.rules import Turn
from services.notify.sender import Sender
from shared.db import transaction
from tests.notify.conftest import House, MakeHouse, owed, with_link
from tests.smtp_sink import Answer, Sink, Taken


async def test_a_sender_that_was_killed_loses_its_letters_to_others_when_its_lease_is_over(
    house: House, sink: Sink
) -> None:
    await house.owe(owed())
    async with transaction(house.pool) as tx:
        assert await letters.claim(tx, limit=9, lease=timedelta(minutes=3))
    async with transaction(house.pool) as tx:
        assert await letters.claim(tx, limit=9, lease=timedelta(minutes=3)) == []
    await house.be_due()
    await house.send_until("sent")
    assert await house.fates() == ["interrupted", "sent"]
    assert len(sink.mails) == 1


@pytest.mark.parametrize(
    ("fate", "state"), [(Fate.SENT, "sent"), (Fate.REFUSED, "sending"), (Fate.DELAYED, "sending")]
)
async def test_a_sender_whose_lease_was_over_can_only_say_that_the_letter_has_arrived(
    house: House, fate: Fate, state: str
) -> None:
    await house.owe(owed())
    lease = timedelta(minutes=3)
    async with transaction(house.pool) as tx:
        [late] = await letters.claim(tx, limit=1, lease=lease)
    await house.be_due()
    async with transaction(house.pool) as tx:
        [_] = await letters.claim(tx, limit=1, lease=lease)
        told = Settlement(late.id, late.claim, late.round, fate, "", timedelta(minutes=1))
        await letters.settle(tx, settled=[told])
    assert (await house.letter())["state"] == state


async def test_what_one_sender_gave_back_it_cannot_give_back_for_the_next(house: House) -> None:
    """The commit may have been lost and asked for again, when another has the letter already."""
    await house.owe(owed())
    lease = timedelta(minutes=3)
    async with transaction(house.pool) as tx:
        [mine] = await letters.claim(tx, limit=1, lease=lease)
        back = Settlement(mine.id, mine.claim, 1, Fate.UNREACHABLE, "", timedelta(0))
        await letters.put_back(tx, settled=[back])
    async with transaction(house.pool) as tx:
        [_] = await letters.claim(tx, limit=1, lease=lease)
        await letters.put_back(tx, settled=[back])
    assert (await house.letter())["state"] == "sending"


async def test_a_letter_is_given_up_when_its_time_is_over(house: House, sink: Sink) -> None:
    sink.at_rcpt = lambda to: "451 later"
    await house.owe(with_link(expires_at=datetime.now(UTC) + timedelta(seconds=30)))
    await house.send_until("retrying")
    row = await house.letter()
    assert row["due_at"] == row["give_up_by"], "it is not tried once more after that"
    await house.pool.execute("UPDATE letters SET due_at = now(), give_up_by = now()")
    async with transaction(house.pool) as tx:
        assert await letters.claim(tx, limit=9, lease=timedelta(minutes=3)) == []
        assert await letters.give_up(tx) == 1
    row = await house.letter()
    assert row["state"] == "given_up"
    assert row["context"]["link"] is None


async def test_a_link_leaves_the_table_with_the_letter(house: House, sink: Sink) -> None:
    await house.owe(with_link())
    assert "secret" in (await house.letter())["context"]["link"]
    await house.send_until("sent")
    plain = sink.mails[0].message.get_body(["plain"])
    assert plain
    assert "https://exam.example/identity/letters/secret" in plain.get_content()
    assert (await house.letter())["context"]["link"] is None


async def test_a_letter_whose_turn_comes_when_its_lease_is_nearly_over_is_not_handed_over(
    make_house: MakeHouse, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time the server says yes it may be somebody else's; it is given back instead."""
    house = make_house(smtp_url=f"smtp+plain://127.0.0.1:{sink.port}", connections=1)
    real_now, slept, named = Sender._now, 0.0, 0

    def sleep_through_the_lease(mail: Taken) -> Answer:
        nonlocal slept
        slept = house.settings.lease_seconds
        return "250 taken"

    def count(recipient: str) -> Answer:
        nonlocal named
        named += 1
        return "250 ok"

    monkeypatch.setattr(Sender, "_now", staticmethod(lambda: real_now() + slept))
    sink.at_end, sink.at_rcpt = sleep_through_the_lease, count
    await house.owe(owed(0), owed(1), owed(2))
    await house.send_until("sent")
    assert len(sink.mails) == 3
    assert named > 3, "the others were named, and then not handed over"
    assert await house.fates() == ["sent"] * 3


async def test_while_the_mail_server_is_away_one_letter_at_a_time_is_risked(
    house: House,
) -> None:
    await house.owe(*(owed(number) for number in range(9)))
    made = house.create_sender()
    made._is_away, made._pause_seconds = True, 0.0
    await made._take_some(house.pool)
    assert made._claims.qsize() == 1


async def test_who_waits_for_a_letter_does_not_wait_for_a_mass_mailing(house: House) -> None:
    await house.owe(*(owed(number) for number in range(50)))
    await house.owe(owed(50, turn=Turn.DEADLINES), owed(51, turn=Turn.DEADLINES))
    await house.owe(with_link(recipient="who.waits@exam.example", turn=Turn.AWAITED))
    taken = []
    for limit in (1, 2, 9):
        async with transaction(house.pool) as tx:
            claims = await letters.claim(tx, limit=limit, lease=timedelta(minutes=3))
        taken.append({claim.recipient.partition("@")[0] for claim in claims})
    assert taken[:2] == [{"who.waits"}, {"candidate50", "candidate51"}]
    assert len(taken[2]) == 9


async def test_the_same_letter_owed_twice_is_written_once(house: House) -> None:
    once = owed()
    await house.owe(once, once)
    await house.owe(once, owed(1))
    assert len(await house.letters()) == 2


async def test_what_letters_said_is_forgotten_first_and_the_letters_later(
    house: House, sink: Sink
) -> None:
    await house.owe(owed(0), owed(1), owed(2))
    await house.send_until("sent")
    await house.owe(owed(3))
    for number, days in ((0, 200), (1, 40), (2, 20)):
        await house.pool.execute(
            "UPDATE letters SET settled_at = now() - $1::interval WHERE recipient = $2",
            timedelta(days=days),
            f"candidate{number}@exam.example",
        )

    async def forget() -> int:
        async with transaction(house.pool) as tx:
            return await letters.forget_old(
                tx,
                now=datetime.now(UTC),
                words_after=timedelta(days=30),
                all_after=timedelta(days=180),
            )

    assert await forget() > 0
    assert await forget() == 0
    left = [(row["recipient"][9], row["context"] is None) for row in await house.letters()]
    assert left == [("1", True), ("2", False), ("3", False)]
    assert await house.pool.fetchval("SELECT count(*) FROM letter_attempts") == 2


@pytest.mark.parametrize("state", ["queued", "sending", "retrying"])
async def test_a_letter_under_way_is_not_sent_again(house: House, state: str) -> None:
    await house.owe(owed())
    await house.pool.execute("UPDATE letters SET state = $1", state)
    row = await house.letter()
    async with transaction(house.pool) as tx:
        with pytest.raises(letters.LetterUnderWay):
            await letters.send_again(tx, letter_id=row["id"], round_=1, actor="test")


async def test_a_letter_sent_again_has_another_name(house: House, sink: Sink) -> None:
    """Or mail programs would take it for the one they have already, and hide it."""
    await house.owe(owed())
    await house.send_until("sent")
    async with transaction(house.pool) as tx:
        for _ in "a double click":
            await letters.send_again(
                tx, letter_id=(await house.letter())["id"], round_=1, actor="test"
            )
    await house.send_until("sent")
    names = {mail.message["Message-ID"] for mail in sink.mails}
    assert (len(sink.mails), len(names)) == (2, 2)
    assert await house.pool.fetchval("SELECT count(*) FROM audit_lines") == 1
