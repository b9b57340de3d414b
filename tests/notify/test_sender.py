"""Sending: once, side by side, after refusals, and after whatever may break."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from services.notify import letters
from tests.eventually import eventually
from tests.notify.conftest import House, MakeHouse, owed
from tests.smtp_sink import Answer, Mischief, Sink, Taken


def recipients(sink: Sink) -> Counter[str]:
    return Counter(mail.recipient for mail in sink.mails)


async def test_a_letter_that_is_owed_arrives(house: House, sink: Sink) -> None:
    await house.owe(owed())
    await house.send_until("sent")
    [mail] = sink.mails
    assert mail.recipient == "candidate0@exam.example"
    assert mail.message["Message-ID"] == f"<{(await house.letter())['id']}.1@exam.example>"
    assert await house.fates() == ["sent"]


async def test_two_senders_side_by_side_send_each_letter_once(house: House, sink: Sink) -> None:
    await house.owe(*(owed(number) for number in range(300)))
    await house.send_until("sent", senders=2)
    assert len(sink.mails) == len(recipients(sink)) == 300
    assert sink.most_open_sessions <= 8


async def test_connections_are_used_again_and_no_more_than_allowed(
    house: House, sink: Sink
) -> None:
    await house.owe(*(owed(number) for number in range(100)))
    await house.send_until("sent")
    assert 1 <= sink.sessions <= 4


async def test_one_refused_recipient_does_not_keep_the_others_from_their_letters(
    house: House, sink: Sink
) -> None:
    sink.at_rcpt = lambda to: "550 no such user" if to.startswith("candidate1@") else "250 ok"
    await house.owe(*(owed(number) for number in range(5)))
    await house.send_until("sent", "failed")
    refused = [row for row in await house.letters() if row["state"] == "failed"]
    assert [(r["recipient"], r["last_reply"]) for r in refused] == [
        ("candidate1@exam.example", "550 no such user")
    ]
    assert len(sink.mails) == 4


@pytest.mark.parametrize("step", ["rcpt", "end"])
async def test_a_refusal_for_now_is_tried_again_and_later_each_time(
    house: House, sink: Sink, step: str
) -> None:
    setattr(sink, f"at_{step}", lambda said: "451 come back later")
    await house.owe(owed())
    waits: list[timedelta] = []
    for _ in range(4):
        await house.be_due()
        async with house.sending():
            await eventually(lambda: _has_tried(house, len(waits) + 1))
        row = await house.letter()
        assert row["state"] == "retrying"
        waits.append(row["due_at"] - datetime.now(UTC))
    assert waits[0] > timedelta(seconds=40), "the first is no sooner than that"
    assert waits[3] > 2 * waits[0], "and then they are further and further apart"
    setattr(sink, f"at_{step}", lambda said: "250 ok")
    await house.be_due()
    await house.send_until("sent")
    assert await house.fates() == ["delayed"] * 4 + ["sent"]


async def _has_tried(house: House, times: int) -> bool:
    return len(await house.fates()) == times


async def test_a_refusal_at_the_end_is_for_good_when_the_server_says_so(
    house: House, sink: Sink
) -> None:
    sink.at_end = lambda mail: "554 looks like spam"
    await house.owe(owed())
    await house.send_until("failed")
    assert sink.mails == []
    assert (await house.letter())["last_reply"] == "554 looks like spam"


async def test_a_letter_whose_server_breaks_off_before_its_yes_is_tried_again_and_counted(
    house: House, sink: Sink
) -> None:
    sink.at_end = lambda mail: Mischief.CUT
    await house.owe(owed())
    await house.send_until("retrying")
    assert await house.fates() == ["unknown"], "it may have arrived"
    sink.at_end = lambda mail: "250 taken"
    await house.be_due()
    await house.send_until("sent")
    names = {mail.message["Message-ID"] for mail in sink.mails}
    assert (len(sink.mails), len(names)) == (2, 1), "its receiver can tell that it is the same"


async def test_a_server_that_breaks_off_after_its_yes_gets_no_letter_twice(
    house: House, sink: Sink
) -> None:
    sink.at_end = lambda mail: Mischief.CUT_AFTER
    await house.owe(*(owed(number) for number in range(10)))
    await house.send_until("sent")
    assert len(sink.mails) == 10
    assert sink.sessions == 10


async def test_a_server_that_hangs_is_not_waited_for_for_ever(
    make_house: MakeHouse, sink: Sink
) -> None:
    house = make_house(
        smtp_url=f"smtp+plain://127.0.0.1:{sink.port}", smtp_timeout_seconds=1, connections=1
    )
    sink.at_rcpt = lambda to: Mischief.HANG if to.startswith("candidate0@") else "250 ok"
    await house.owe(owed(0), owed(1))
    await house.send_until("sent", "retrying")
    assert await house.fates() in (["delayed", "sent"], ["sent", "delayed"])


async def test_while_the_server_is_away_letters_wait_uncounted_and_go_out_when_it_is_back(
    house: House, sink: Sink
) -> None:
    sink.greeting = "554 closed"
    await house.owe(*(owed(number) for number in range(40)))
    async with house.sending():
        await eventually(lambda: _has_connected(sink, 3))
        assert sink.mails == []
        sink.greeting = "220 sink"
        await house.until("sent")
    assert len(sink.mails) == len(recipients(sink)) == 40
    assert await house.fates() == ["sent"] * 40


async def _has_connected(sink: Sink, times: int) -> bool:
    return sink.sessions >= times


async def test_while_the_server_is_away_staff_see_why(house: House, sink: Sink) -> None:
    sink.at_mail = lambda sender: "550 we do not know you"
    await house.owe(owed())

    async def is_said() -> bool:
        return bool((await house.letter())["last_reply"] == "550 we do not know you")

    async with house.sending():
        await eventually(is_said)
    assert (await house.letter())["state"] == "queued"


@pytest.mark.parametrize(
    "address",
    ["nobody", "a@b@c", "a b@exam.example", "a@exam.example>\r\nRCPT TO:<b@exam.example", "a@é..x"],
)
async def test_what_is_no_address_is_refused_without_troubling_the_server(
    house: House, sink: Sink, address: str
) -> None:
    await house.owe(owed(recipient=address))
    await house.send_until("failed")
    assert sink.sessions == 0


async def test_a_defect_in_a_template_delays_its_letters_and_no_others(
    house: House, sink: Sink
) -> None:
    await house.owe(owed(0, template="no_such_template"), owed(1))
    await house.send_until("sent", "retrying")
    assert recipients(sink) == {"candidate1@exam.example": 1}
    assert sorted(await house.fates()) == ["delayed", "sent"]


async def test_a_sender_told_to_stop_finishes_its_letters_and_gives_back_the_rest(
    make_house: MakeHouse, sink: Sink
) -> None:
    house = make_house(smtp_url=f"smtp+plain://127.0.0.1:{sink.port}", connections=1)
    made = house.create_sender()

    def stop_in_the_middle(mail: Taken) -> Answer:
        made.stop()
        return "250 taken"

    sink.at_end = stop_in_the_middle
    await house.owe(*(owed(number) for number in range(8)))
    async with asyncio.timeout(10):
        await made.run()
    states = Counter(row["state"] for row in await house.letters())
    assert states == {"sent": 1, "queued": 7}


async def test_no_letter_is_sent_while_the_last_ones_fate_cannot_be_recorded(
    house: House, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a database that is away costs at most one letter per connection sent twice."""
    is_away = True
    record = letters.settle

    async def settle(tx: object, **said: object) -> None:
        if is_away:
            raise ConnectionRefusedError
        await record(tx, **said)  # type: ignore[arg-type]

    monkeypatch.setattr(letters, "settle", settle)
    await house.owe(*(owed(number) for number in range(20)))
    async with house.sending():
        await eventually(lambda: _has_taken(sink, 4))
        is_away = False
        await house.until("sent")
    assert len(sink.mails) == 20


async def _has_taken(sink: Sink, count: int) -> bool:
    assert len(sink.mails) <= count
    return len(sink.mails) == count


async def test_the_mailbox_keeps_letters_on_this_machine(make_house: MakeHouse) -> None:
    house = make_house(channel="mailbox", smtp_url=None)
    await house.owe(*(owed(number) for number in range(30)))
    await house.send_until("sent")
    subjects = await house.pool.fetch("SELECT DISTINCT subject FROM mailbox")
    assert [row["subject"] for row in subjects] == ["您的密碼已變更"]
    assert await house.pool.fetchval("SELECT count(*) FROM mailbox") == 30


async def test_a_server_that_tired_of_an_idle_connection_costs_no_letter_a_try(
    make_house: MakeHouse, sink: Sink
) -> None:
    house = make_house(smtp_url=f"smtp+plain://127.0.0.1:{sink.port}", connections=1)
    sink.at_mail = lambda sender: (
        "421 idle for too long" if sink.mails and sink.sessions == 1 else "250 ok"
    )
    async with house.sending():
        await house.owe(owed(0))
        await house.until("sent")
        await house.owe(owed(1))
        await house.until("sent")
    assert sink.sessions == 2
    assert await house.fates() == ["sent", "sent"]
