"""Sittings with candidates, and the people who score, approve and release them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4, uuid5

from services.scoring import approvals, drafts, releases, score_files, sittings, tellings
from services.scoring.consumers import HANDLERS
from shared import events, inbox, outbox
from shared.db import Connection, Pool, transaction
from shared.events import Event, decode
from shared.events.enrollment import EntryRecorded
from shared.events.identity import ResultsAccountOpened
from shared.events.scoring import ResultCorrected, ResultEvent, ResultsReleased
from shared.inbox import Received
from shared.outbox import Message

EXAMINER = UUID("0197b1c2-3d4e-7f50-8a61-0000000000a1")
RELEASER = UUID("0197b1c2-3d4e-7f50-8a61-0000000000b1")
COLLEAGUE = UUID("0197b1c2-3d4e-7f50-8a61-0000000000b2")
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
ENTERED_AT = datetime(2026, 1, 5, 3, 12, tzinfo=UTC)
BASIC, STARTERS, KEY = "hakka-115-basic-m01", "yle-2026-03", "key-2026-03"

HAKKA: dict[str, Any] = {
    "programme": "hakka-115",
    "zone": "Asia/Taipei",
    "exam": "basic",
    "exam_titles": {"zh-Hant-TW": "基礎級暨初級", "en": "Basic and Elementary"},
    "sitting": BASIC,
    "sitting_titles": {"zh-Hant-TW": "第一梯次", "en": "Sitting 1"},
    "exam_date": date(2026, 1, 24),
    "results_at": datetime(2026, 3, 16, 1, tzinfo=UTC),
}
CAMBRIDGE: dict[str, Any] = {
    "programme": "cambridge-english",
    "zone": "Europe/London",
    "exam": "a2-key-for-schools",
    "exam_titles": {"zh-Hant-TW": "A2 Key for Schools", "en": "A2 Key for Schools"},
    "sitting": KEY,
    "sitting_titles": {"zh-Hant-TW": "三月", "en": "March"},
    "exam_date": date(2026, 3, 7),
    "results_at": datetime(2026, 4, 20, 8, tzinfo=UTC),  # 09:00 in the British summer
    "dialect": None,
    "account_id": None,
    "registration_id": None,
    "centre_number": "TW123",
    "centre_name": "Hsinchu",
}


def entry_id(number: int, sitting: str = BASIC) -> UUID:
    return uuid5(EXAMINER, f"{sitting} {number}")


def account_of(number: int) -> UUID:
    """The account with which a candidate registered for an exam here."""
    return uuid5(RELEASER, str(number))


def id_number(number: int) -> str:
    return f"{number:06}WLC"


def entered(number: int, **changed: Any) -> EntryRecorded:
    told = {
        "entry_id": entry_id(number, changed.get("sitting", BASIC)),
        "id_number": id_number(number),
        "secret_digest": "00" * 32,
        **HAKKA,
        "person_name": f"考生{number}",
        "latin_name": None,
        "birth_date": date(1990, 5, 17),
        "dialect": "sixian",
        "candidate_number": f"R-{number:05}",
        "centre_number": None,
        "centre_name": None,
        "account_id": account_of(number),
        "registration_id": uuid5(COLLEAGUE, str(number)),
        "is_cancelled": False,
        "recorded_at": ENTERED_AT,
    }
    return EntryRecorded.model_validate(told | changed)


def opened(number: int, at: datetime, *, sitting: str = BASIC) -> ResultsAccountOpened:
    return ResultsAccountOpened(
        account_id=uuid5(RELEASER, f"results service {number}"),
        entry_id=entry_id(number, sitting),
        id_number=id_number(number),
        registered_at=at,
    )


async def hear(pool: Pool, *happened: Event, message_id: UUID | None = None) -> None:
    message_id = message_id or uuid4()
    event_class = type(happened[0])
    body = events.encode(message_id, happened).encode()
    await inbox.handle(pool, event_class, HANDLERS[event_class], [Received(message_id, body)])


async def enter(pool: Pool, count: int, **changed: Any) -> None:
    await hear(pool, *(entered(number, **changed) for number in range(count)))


HEADINGS = ("id_number", "listening", "speaking", "reading")
PASSES = ("25", "40", "15")  # 80 points: 初級


def table(*rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> list[list[str]]:
    return [list(headings), *(list(row) for row in rows)]


def scored(number: int, points: Sequence[str] = PASSES) -> list[str]:
    return [id_number(number), *points]


async def look_at(
    pool: Pool, rows: Sequence[Sequence[str]], *, code: str = BASIC, actor: UUID = EXAMINER
) -> UUID:
    async with transaction(pool) as tx:
        sitting = await sittings.load(tx, code=code)
        return await score_files.look_at(
            tx, sitting=sitting, name="scores.xlsx", table=rows, actor=actor, now=NOW
        )


async def import_(
    pool: Pool, rows: Sequence[Sequence[str]], *, code: str = BASIC, actor: UUID = EXAMINER
) -> int:
    file_id = await look_at(pool, rows, code=code, actor=actor)
    async with transaction(pool) as tx:
        return await score_files.import_(tx, file_id=file_id, actor=actor, now=NOW)


async def compute(pool: Pool, code: str = BASIC) -> int:
    async with transaction(pool) as tx:
        await drafts.compute(tx, code=code, actor=EXAMINER, now=NOW)
        computation = await drafts.find_computation(tx, sitting=code)
    assert computation
    return computation.number


async def approve(pool: Pool, code: str = BASIC, *, actor: UUID = RELEASER) -> UUID:
    number = await compute(pool, code)
    async with transaction(pool) as tx:
        return await approvals.approve(tx, code=code, number=number, actor=actor, now=NOW)


async def prepare(pool: Pool, count: int = 3, *, but: Mapping[int, Sequence[str]] = {}) -> UUID:
    """Enter candidates who all pass, except as said, and approve their results."""
    await enter(pool, count)
    await import_(pool, table(*(scored(n, but.get(n, PASSES)) for n in range(count))))
    return await approve(pool)


async def release_at_once(pool: Pool, code: str = BASIC) -> None:
    async with transaction(pool) as tx:
        await releases.order_at_once(tx, sitting=code, actor=RELEASER)


async def order(pool: Pool, released_at: datetime, code: str = BASIC) -> None:
    """Set an instant that is to come; NOW may be long past by the clock of the database."""
    now = released_at - timedelta(hours=1)
    async with transaction(pool) as tx:
        await releases.order(tx, sitting=code, released_at=released_at, actor=RELEASER, now=now)


async def tell_all(pool: Pool) -> int:
    """Tell as long as the job would; return how many were told."""
    before = await pool.fetchval("SELECT count(*) FROM told")
    more = True
    while more:
        async with transaction(pool) as tx:
            more = bool(await tellings.tell(tx))
    after = await pool.fetchval("SELECT count(*) FROM told")
    return int(after - before)


async def take_told(pool: Pool) -> list[ResultEvent]:
    """Take what was published since, in the order of accounts."""
    taken: list[Message] = []

    async def send(messages: Sequence[Message]) -> list[str | None]:
        taken.extend(messages)
        return [None] * len(messages)

    async with pool.acquire() as connection:
        # A connection of a pool is one, whatever its type says.
        while (await outbox.relay_batch(cast("Connection", connection), send)).confirmed:
            pass
    classes: dict[str, type[ResultEvent]] = {
        event.name: event for event in (ResultsReleased, ResultCorrected)
    }
    told = [
        event
        for message in taken
        if message.name in classes
        for event in decode(classes[message.name], message.body)
    ]
    return sorted(told, key=lambda event: event.account_id)
