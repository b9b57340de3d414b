"""News from identity: however often and in whatever order it comes."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.notify import contacts, owed
from services.notify.consumers import HANDLERS
from shared import events, inbox
from shared.db import Pool, transaction
from shared.events import Event
from shared.events.identity import AccountClosed, ContactChanged, PasswordResetRequested
from shared.inbox import Received
from tests.notify.conftest import House, MakeHouse
from tests.notify.samples import sample

WHO = UUID("0190a6f0-0000-7000-8000-000000000001")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def changed(hour: int, email: str) -> ContactChanged:
    return ContactChanged(
        account_id=WHO,
        email=email,
        person="王大同",
        language="en",
        changed_at=NOON + timedelta(hours=hour),
    )


def closed(hour: int) -> AccountClosed:
    return AccountClosed(
        account_id=WHO,
        email="old@exam.example",
        person="王大同",
        language="en",
        closed_at=NOON + timedelta(hours=hour),
    )


async def hear(pool: Pool, *happened: Event, message_id: UUID | None = None) -> None:
    message_id = message_id or uuid4()
    event_class = type(happened[0])
    body = events.encode(message_id, happened).encode()
    await inbox.handle(pool, event_class, HANDLERS[event_class], [Received(message_id, body)])


async def find_address(pool: Pool) -> str | None:
    async with transaction(pool) as tx:
        found = await contacts.find(tx, account_ids=[WHO])
    return found[WHO].email if found else None


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_the_newest_word_about_a_contact_counts_in_whatever_order_it_comes(
    pool: Pool, order: tuple[int, ...]
) -> None:
    for hour in order:
        await hear(pool, changed(hour, f"{hour}@exam.example"))
    assert await find_address(pool) == "2@exam.example"


async def test_of_two_words_in_one_message_the_newest_counts(pool: Pool) -> None:
    await hear(pool, changed(2, "new@exam.example"), changed(1, "old@exam.example"))
    assert await find_address(pool) == "new@exam.example"


@pytest.mark.parametrize("closing_first", [True, False])
async def test_a_closed_account_is_forgotten_and_stays_so(pool: Pool, closing_first: bool) -> None:
    news: list[Event] = [closed(1), changed(0, "old@exam.example"), changed(2, "x@exam.example")]
    for event in news if closing_first else reversed(news):
        await hear(pool, event)
    assert await find_address(pool) is None
    row = await pool.fetchrow("SELECT * FROM contacts")
    assert row
    assert (row["email"], row["person"], row["language"]) == (None, None, None)


@pytest.mark.parametrize("event_class", owed.TO_ADDRESSES, ids=lambda event: event.name)
async def test_every_fact_that_owes_a_letter_owes_one_however_often_it_is_told(
    make_house: MakeHouse, event_class: type[Event]
) -> None:
    house: House = make_house(channel="mailbox")
    event = event_class.model_validate(sample(event_class))
    same = uuid4()
    await hear(house.pool, event, message_id=same)
    await hear(house.pool, event, message_id=same)  # delivered twice
    await hear(house.pool, event, event)  # and published twice
    row = await house.letter()
    letter = owed.LETTERS[event_class]
    assert row["template"] == letter.template
    assert row["recipient"] == "candidate@exam.example"
    told = event.model_dump(mode="json")
    assert row["context"] == {name: told[name] for name in letter.tells}


async def test_two_requests_are_two_letters(make_house: MakeHouse) -> None:
    house: House = make_house(channel="mailbox")
    for _ in range(2):
        await hear(house.pool, _reset(datetime.now(UTC) + timedelta(hours=1)))
    assert len(await house.letters()) == 2


async def test_a_letter_is_not_tried_longer_than_its_link_works(make_house: MakeHouse) -> None:
    house: House = make_house(channel="mailbox")
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    await hear(house.pool, _reset(expires_at))
    assert (await house.letter())["give_up_by"] == expires_at


def _reset(expires_at: datetime) -> PasswordResetRequested:
    return PasswordResetRequested(
        request_id=uuid4(),
        email="candidate@exam.example",
        person="王大同",
        language="en",
        link="https://exam.example/x",
        expires_at=expires_at,
    )


def test_every_letter_has_its_two_templates() -> None:
    folder = Path(owed.__file__).parent / "templates" / "letters"
    there = {path.name for path in folder.iterdir()} - {
        "layout.txt",
        "layout.html",
        "words.txt",
    }
    assert there == {
        f"{letter.template}.{kind}" for letter in owed.LETTERS.values() for kind in ("txt", "html")
    }
