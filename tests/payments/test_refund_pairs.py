"""Refunds in the provider's file and in our books: paired where they agree, listed where not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.payments import ecpay_file, reconciliations
from services.payments.methods import Repaid, Repayment
from services.payments.reconciliations import File
from services.payments.refund_pairs import Ours, Theirs, agree, differ, pair
from services.payments.rules import TAIPEI
from services.payments.ways import create_desk
from shared.db import transaction
from tests.payments import giving_back
from tests.payments.giving_back import ANN
from tests.payments.till import Till

NOON = datetime(2026, 5, 4, 4, tzinfo=UTC)
PAYMENT = ("EH1", "26")


def theirs(twd: int, hours: int = 0, *, line: int | None = 2) -> Theirs:
    return Theirs(PAYMENT, twd, NOON + timedelta(hours=hours), line, net_differs=False)


def ours(twd: int, hours: int = 0, *, number: int = 1, is_judged: bool = True) -> Ours:
    return Ours(PAYMENT, twd, NOON + timedelta(hours=hours), UUID(int=number), is_judged)


def kinds(*, file: list[Theirs], books: list[Ours]) -> list[str]:
    return [found.kind for found in differ(pair(file, books))]


def test_the_same_amount_agrees_whenever_we_heard_of_it() -> None:
    """Who looked up what nobody answered may have done so a week later."""
    pairs = pair([theirs(192)], [ours(192, hours=170)])
    assert differ(pairs) == []
    assert [found.which for found in agree(pairs)] == [str(UUID(int=1))]


def test_of_several_each_is_found_once() -> None:
    twice = [ours(50), ours(50, number=2)]
    assert kinds(file=[theirs(50), theirs(50, 1)], books=twice) == []
    assert kinds(file=[theirs(50)], books=twice) == ["refund_not_in_file"]
    assert kinds(file=[theirs(50), theirs(50, 1), theirs(50, 2)], books=twice) == [
        "refund_not_known"
    ]
    # Whichever comes first, those that agree are found before those that do not.
    assert kinds(file=[theirs(60), theirs(50, 1)], books=[ours(50)]) == ["refund_not_known"]


def test_other_amounts_are_one_refund_only_if_they_are_of_about_the_same_time() -> None:
    [found] = differ(pair([theirs(250)], [ours(192, hours=23)]))
    assert (found.kind, found.file_twd, found.our_twd) == ("refund_differs", 250, 192)
    far = kinds(file=[theirs(250)], books=[ours(192, hours=25)])
    assert far == ["refund_not_known", "refund_not_in_file"]


def test_what_other_files_have_to_tell_is_not_told_again() -> None:
    assert kinds(file=[theirs(250, line=None)], books=[]) == []
    assert kinds(file=[], books=[ours(192, is_judged=False)]) == []
    assert kinds(file=[theirs(250, line=None)], books=[ours(192, is_judged=False)]) == []


def test_several_unknown_ones_of_one_payment_are_several() -> None:
    found = differ(pair([theirs(50), theirs(50, 1), theirs(60)], []))
    assert len({each.subject for each in found}) == 3


async def import_(till: Till, content: bytes) -> None:
    table = ecpay_file.read(content, now=till.now)
    assert table.faults == []
    async with transaction(till.pool) as tx:
        file_id = await reconciliations.look_at(
            tx, name="day.csv", digest=content, table=table, actor=ANN, now=till.now
        )
        await reconciliations.import_(tx, file_id=file_id, actor=ANN, now=till.now)


async def newest_file(till: Till) -> File:
    async with transaction(till.pool) as tx:
        [file, *_] = await reconciliations.list_newest(tx, limit=1)
    return file


async def download(till: Till) -> bytes:
    """The sandbox's own file of the day before, written by code that shares nothing with ours."""
    return await download_of(till, till.now - timedelta(days=1))


async def download_of(till: Till, instant: datetime) -> bytes:
    day = instant.astimezone(TAIPEI).date()
    async with till.sandbox.session.get(f"{till.sandbox.ecpay}/settlement/{day}.csv") as answer:
        return await answer.read()


async def found(till: Till) -> list[tuple[str, int | None, int | None, bool]]:
    rows = await till.pool.fetch(
        """
        SELECT kind, file_twd, our_twd, resolved_at IS NULL
          FROM reconciliation_differences ORDER BY id
        """
    )
    return [tuple(row) for row in rows]


async def give_back(till: Till) -> None:
    """Let a card's payment be given back, less 58, another payment be made, and the day end."""
    await giving_back.approved(till, await giving_back.pay(till))
    assert await till.send_refunds() == 1
    await giving_back.pay(till, "atm")
    await till.advance(timedelta(days=1))


async def test_the_providers_own_file_agrees_with_what_it_gave_back(till: Till) -> None:
    await give_back(till)
    content = await download(till)
    await import_(till, content)
    await import_(till, content + b"\r\n")  # the same line in another file is the same refund
    assert await found(till) == []
    file = await newest_file(till)
    assert (file.payments, file.amount_twd, file.fee_twd) == (1, 250, 15)
    assert (file.refunds, file.refunded_twd, file.net_twd) == (1, 192, 250 - 15 - 192)
    await till.see_every_dollar()


async def test_what_the_provider_gave_back_by_itself_is_listed(till: Till) -> None:
    [attempt] = await till.attempts(await giving_back.pay(till))
    await till.advance(timedelta(days=2))
    desk = create_desk(till.settings)
    assert desk is not None
    assert attempt.provider_number is not None
    asked = Repayment(attempt.trade_number, attempt.provider_number, 250, 100, 0, till.now)
    assert (await desk.repay(asked)).repaid is Repaid.DONE
    await till.advance(timedelta(days=1))
    content = await download(till)
    await import_(till, content)
    await import_(till, content + b"\r\n")  # another file with the same line says nothing new
    assert await found(till) == [("refund_not_known", 100, None, True)]
    # Which of our books are right, a person finds out.
    await till.see_balance()
    assert await till.pool.fetchval("SELECT count(*) FROM refunds") == 0


async def test_what_was_given_back_by_hand_and_by_the_provider_too_is_listed(till: Till) -> None:
    await give_back(till)
    await till.pool.execute("UPDATE refunds SET route = 'payee'")
    await import_(till, await download(till))
    assert await found(till) == [("refund_not_known", 192, None, True)]


async def test_a_refund_that_a_file_lacks_is_listed_until_a_later_one_has_it(till: Till) -> None:
    await give_back(till)
    content = await download(till)
    lines = content.splitlines(keepends=True)
    await import_(till, b"".join(line for line in lines if "已退款".encode("cp950") not in line))
    assert await found(till) == [("refund_not_in_file", None, 192, True)]
    await import_(till, content)
    assert await found(till) == [("refund_not_in_file", None, 192, False)]


async def test_a_refund_of_another_amount_is_listed(till: Till) -> None:
    await give_back(till)
    content = (await download(till)).replace(b",-192,", b",-250,")
    await import_(till, content)
    assert await found(till) == [("refund_differs", 250, 192, True)]


async def test_a_refund_that_does_not_add_up_is_listed(till: Till) -> None:
    await give_back(till)
    lines = (await download(till)).replace(b",0,-192,", b",0,-200,")
    await import_(till, lines)
    assert await found(till) == [("net_differs", 192, None, True)]


async def test_a_refund_of_a_day_that_is_not_over_is_not_judged(till: Till) -> None:
    await give_back(till)
    await till.advance(timedelta(hours=-23))
    lines = (await download_of(till, till.now)).splitlines(keepends=True)
    await import_(till, b"".join(line for line in lines if "已退款".encode("cp950") not in line))
    assert (await newest_file(till)).payments == 1
    assert await found(till) == []
