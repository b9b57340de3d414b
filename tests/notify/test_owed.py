"""Letters to people with an account: one for each fact, in whatever order the news comes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notify import contacts, owed, unaddressed
from services.notify.consumers import HANDLERS
from services.notify.rules import Turn
from services.notify.schedule import jobs
from shared.db import Pool, connect, transaction
from shared.events import Event
from shared.events.enrollment import (
    DocumentsReturned,
    PlaceClaimed,
    RegistrationLapsed,
    RegistrationSubmitted,
    SubmissionDue,
)
from shared.events.identity import AccountClosed, ContactChanged, PasswordChanged
from shared.events.payments import (
    ApplicationRefused,
    InstructionsIssued,
    RefundCompleted,
    RefundDue,
)
from shared.inbox import Handler
from tests.eventually import eventually
from tests.notify.conftest import House, MakeHouse
from tests.notify.samples import ACCOUNT, contact, reference_of, sample
from tests.notify.test_consumers import hear

EVERY_FACT = pytest.mark.parametrize("fact", owed.TO_ACCOUNTS, ids=lambda event: event.name)
OTHER = UUID("0197b1c2-3d4e-7f50-8a61-00000000000f")


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(channel="mailbox")


def told(fact: type[Event], **changed: Any) -> Event:
    return fact.model_validate(sample(fact) | changed)


def closed() -> AccountClosed:
    return AccountClosed.model_validate(sample(AccountClosed) | {"account_id": ACCOUNT})


async def count_kept(pool: Pool) -> int:
    async with transaction(pool) as tx:
        return await unaddressed.count(tx)


@EVERY_FACT
@pytest.mark.parametrize("contact_comes", ["before", "between", "after"])
async def test_every_fact_owes_one_letter_however_often_and_in_whatever_order_it_is_told(
    house: House, fact: type[Event], contact_comes: str
) -> None:
    same, event = uuid4(), told(fact)
    if contact_comes == "before":
        await hear(house.pool, contact())
    await hear(house.pool, event, message_id=same)
    await hear(house.pool, event, message_id=same)  # delivered twice
    if contact_comes == "between":
        await hear(house.pool, contact())
    await hear(house.pool, event, event)  # and published twice
    if contact_comes == "after":
        assert await house.letters() == []
        await hear(house.pool, contact(), contact())
    row = await house.letter()
    assert row["template"] == owed.TO_ACCOUNTS[fact].template
    assert (row["recipient"], row["person"]) == ("candidate@exam.example", "王大同")
    assert row["language"] == "zh-Hant-TW"
    assert row["context"].get("reference") == reference_of(fact)
    assert await count_kept(house.pool) == 0


@EVERY_FACT
@pytest.mark.parametrize("closing_comes", ["before", "after"])
async def test_who_has_left_gets_no_letter(
    house: House, fact: type[Event], closing_comes: str
) -> None:
    news: list[Event] = [told(fact), closed()]
    for event in news if closing_comes == "after" else reversed(news):
        await hear(house.pool, event)
    await hear(house.pool, contact())  # late news of somebody who has gone
    assert [row["template"] for row in await house.letters()] == ["goodbye"]
    assert await count_kept(house.pool) == 0


async def test_a_crowd_gets_its_letters_but_for_those_not_heard_of_yet(house: House) -> None:
    await hear(house.pool, contact())
    crowd = [told(PlaceClaimed, registration_id=uuid4(), account_id=ACCOUNT) for _ in range(3)]
    crowd += [told(PlaceClaimed, registration_id=uuid4(), account_id=OTHER) for _ in range(2)]
    await hear(house.pool, *crowd)
    assert [row["recipient"] for row in await house.letters()] == ["candidate@exam.example"] * 3
    assert await count_kept(house.pool) == 2
    await hear(house.pool, contact(account_id=OTHER, email="other@exam.example"))
    assert [row["recipient"] for row in await house.letters()][3:] == ["other@exam.example"] * 2


async def test_a_letter_goes_to_the_newest_address(house: House) -> None:
    await hear(house.pool, told(PlaceClaimed))
    later = contact().changed_at + timedelta(hours=1)
    await hear(house.pool, contact(), contact(email="new@exam.example", changed_at=later))
    assert (await house.letter())["recipient"] == "new@exam.example"


@pytest.mark.parametrize("first", ["fact", "contact"])
@pytest.mark.parametrize("facts_before", [0, 1])
async def test_a_fact_and_word_of_its_person_at_the_same_instant_make_one_letter(
    house: House, database_url: str, first: str, facts_before: int
) -> None:
    """Neither sees what the other has not committed: one of them has to wait for the other."""
    handlers: dict[str, tuple[Handler, list[Any]]] = {
        "fact": (HANDLERS[PlaceClaimed], [told(PlaceClaimed)]),
        "contact": (HANDLERS[ContactChanged], [contact()]),
    }
    handle_first, first_events = handlers.pop(first)
    [(handle_second, second_events)] = handlers.values()
    for _ in range(facts_before):  # then there is a row already for both to find
        await hear(house.pool, told(RegistrationSubmitted))
    one = await connect(database_url, application="one")
    other = await connect(database_url, application="other")

    async def second() -> None:
        async with other.transaction():
            await handle_second(other, second_events)

    async def is_waiting() -> bool:
        return bool(
            await house.pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE application_name = 'other' AND wait_event_type = 'Lock'"
            )
        )

    try:
        async with one.transaction():
            await handle_first(one, first_events)
            task = asyncio.create_task(second())
            await eventually(is_waiting)
        await task
    finally:
        await one.close()
        await other.close()
    templates = [row["template"] for row in await house.letters()]
    assert templates.count("place_claimed") == 1
    assert len(templates) == 1 + facts_before
    assert await count_kept(house.pool) == 0


async def test_word_of_somebody_is_expected_only_until_it_has_come(house: House) -> None:
    async def expect() -> set[UUID]:
        async with transaction(house.pool) as tx:
            return await contacts.expect(tx, account_ids={ACCOUNT, OTHER})

    assert await expect() == {ACCOUNT, OTHER}
    await hear(house.pool, contact())
    assert await expect() == {OTHER}
    await hear(house.pool, closed())
    assert await expect() == {OTHER}


@pytest.mark.parametrize(
    ("fact", "changed"),
    [
        (SubmissionDue, {"days_left": 1}),
        (SubmissionDue, {"submit_by": "2027-01-06T16:00:00Z"}),
        (DocumentsReturned, {"returned_at": "2026-01-06T03:12:00Z"}),
        (InstructionsIssued, {"attempt_id": str(uuid4())}),
        (RefundDue, {"refund_id": str(uuid4())}),
        (RefundCompleted, {"refund_id": str(uuid4())}),
        (ApplicationRefused, {"application_id": str(uuid4())}),
        (RegistrationLapsed, {"registration_id": str(uuid4())}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_what_happens_again_owes_another_letter(
    house: House, fact: type[Event], changed: dict[str, Any]
) -> None:
    await hear(house.pool, contact())
    await hear(house.pool, told(fact))
    await hear(house.pool, told(fact, **changed))
    assert len(await house.letters()) == 2


@pytest.mark.parametrize(
    ("fact", "deadline"),
    [
        (PlaceClaimed, "submit_by"),
        (SubmissionDue, "submit_by"),
        (RegistrationSubmitted, "pay_by"),
        (DocumentsReturned, "fix_by"),
        (InstructionsIssued, "pay_by"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_letter_is_not_tried_after_the_deadline_it_tells_of(
    house: House, fact: type[Event], deadline: str
) -> None:
    by = datetime.now(UTC) + timedelta(hours=1)
    await hear(house.pool, told(fact, **{deadline: by}))
    await hear(house.pool, contact())
    row = await house.letter()
    assert row["give_up_by"] == row["useless_after"] == by


async def test_who_waits_for_a_letter_comes_before_deadlines_and_they_before_news(
    house: House,
) -> None:
    await hear(house.pool, contact())
    await hear(house.pool, told(RegistrationLapsed))
    await hear(house.pool, told(RegistrationSubmitted, amount_twd=0, pay_by=None))
    by = datetime.now(UTC) + timedelta(days=1)
    await hear(house.pool, told(RegistrationSubmitted, registration_id=uuid4(), pay_by=by))
    await hear(house.pool, PasswordChanged.model_validate(sample(PasswordChanged)))
    turns = {row["template"]: row["turn"] for row in await house.letters()}
    assert turns == {
        "password_changed": Turn.AWAITED,
        "registration_submitted": turns["registration_submitted"],
        "registration_lapsed": Turn.NEWS,
    }
    rows = await house.pool.fetch(
        "SELECT turn FROM letters WHERE template = 'registration_submitted' ORDER BY turn"
    )
    assert [row["turn"] for row in rows] == [Turn.DEADLINES, Turn.NEWS]


async def test_what_nobody_was_found_for_is_forgotten_with_the_words_of_other_letters(
    house: House,
) -> None:
    await hear(house.pool, told(PlaceClaimed))
    [forget] = [job for job in jobs(house.settings) if job.name == "forget_letters"]
    days = timedelta(days=house.settings.keep_words_days)
    now = datetime.now(UTC)
    assert await forget.work(house.pool, now + days - timedelta(hours=1)) == 0
    assert await count_kept(house.pool) == 1
    assert await forget.work(house.pool, now + days + timedelta(hours=1)) == 1
    assert await count_kept(house.pool) == 0
