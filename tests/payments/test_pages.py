"""From a registration to its order, and what an order's page says while nothing is paid."""

import asyncio
import re
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest

from services.payments.pages.arrivals import PATIENCE
from services.payments.pages.outlook import CASHIER_TAKES
from services.payments.rules import TAIPEI
from shared.events.enrollment import RegistrationVoided
from shared.security import CONTENT_SECURITY_POLICY
from tests.payments.payer import Payer, read_hidden

LANGUAGES = ["en", "zh-TW"]
NOBODYS = UUID(int=7)
REFRESH = re.compile(r'<noscript><meta http-equiv="refresh" content="4; url=([^"]+)"></noscript>')


def midnight_in(days: int) -> datetime:
    today = datetime.now(TAIPEI).date()
    return datetime.combine(today + timedelta(days=days), time(), TAIPEI)


async def test_a_registration_leads_to_its_order_as_soon_as_its_news_is_here(payer: Payer) -> None:
    submitted = payer.till.submitted(account_id=payer.account_id)
    page = f"/payments/registrations/{submitted.registration_id}"
    waiting = await payer.see(page)
    assert "Your payment is being prepared" in waiting
    again = REFRESH.search(waiting)
    assert again, "it looks again by itself, also without script"
    assert f'data-poll-at="{again[1]}"' in waiting
    await payer.till.hear(submitted)
    order = await payer.till.order_of(submitted)
    for address in (page, again[1]):
        answer = await payer.get(address)
        assert (answer.status, answer.headers["Location"]) == (303, f"/payments/orders/{order.id}")


async def test_a_registration_of_somebody_else_looks_like_one_there_is_not(payer: Payer) -> None:
    other = await payer.another()
    [theirs] = (await other.owe()).registration_ids
    pages = [
        re.sub(r"[0-9a-f-]{36}|since=\d+", "", await payer.see(f"/payments/registrations/{one}"))
        for one in (theirs, uuid4())
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_nobody_waits_for_ever(payer: Payer, language: str) -> None:
    began = int((datetime.now(UTC) - PATIENCE).timestamp())
    nowhere = f"/payments/registrations/{uuid4()}"
    page = await payer.see(f"{nowhere}?since={began}", language=language)
    assert "data-poll" not in page
    assert "http-equiv" not in page
    assert "/enrollment/registrations/" in page, "it says what to do"
    assert f'href="{nowhere}"' in page, "one may look again"
    page = await payer.see(f"{nowhere}?since={began + 60}")
    assert "data-poll" in page, "there is still hope"


@pytest.mark.parametrize("since", ["", "x", "-1", "²", "9" * 11, "9" * 400])
async def test_a_strange_time_is_now(payer: Payer, since: str) -> None:
    page = await payer.see(f"/payments/registrations/{uuid4()}?since={since}")
    assert "data-poll" in page


@pytest.mark.parametrize(
    "page",
    [
        "/payments/registrations/nonsense",
        "/payments/orders/nonsense",
        f"/payments/orders/{NOBODYS}",
        f"/payments/orders/{NOBODYS}/ways",
        f"/payments/applications/{NOBODYS}",
    ],
)
async def test_there_is_nothing_under_other_names(payer: Payer, page: str) -> None:
    assert (await payer.get(page)).status == 404


async def test_an_order_says_what_is_owed_for_what_and_until_when(payer: Payer) -> None:
    order = await payer.owe(pay_by=midnight_in(5), exam_date=date(2026, 12, 19))
    page = await payer.see_order(order)
    last = midnight_in(5) - timedelta(days=1)
    for words in (
        *("Basic", "HK-7Q4M-2XKD", "NT$250", "Saturday 19 December 2026"),
        f"{last:%A} {last.day} {last:%B %Y} at 23:59",
    ):
        assert words in page
    page = await payer.see_order(order, language="zh-TW")
    weekday = "一二三四五六日"[last.weekday()]
    for words in ("基礎級暨初級", f"{last.month}月{last.day}日（星期{weekday}）23:59"):
        assert words in page


async def test_an_order_can_be_found_from_the_first_page(payer: Payer) -> None:
    assert "Nothing is to be paid." in await payer.see("/payments/")
    orders = [await payer.owe(reference=f"HK-{n}") for n in range(2)]
    page = await payer.see("/payments/")
    for order in orders:
        assert f'href="/payments/orders/{order.id}"' in page
        assert order.reference in page
    other = await payer.another()
    assert str(orders[0].id) not in await other.see("/payments/")


async def test_only_ways_that_the_exam_allows_are_offered(payer: Payer) -> None:
    order = await payer.owe(methods=["atm", "card", "line_pay"])
    page = await payer.see_order(order)
    assert re.findall(r'name="way" type="radio" value="([^"]+)"', page) == [
        "atm",
        "card",
        "line_pay",
    ]
    way = f"/payments/orders/{order.id}/attempts"
    for wrong in ("convenience_store/code", "cash", "card/x", ""):
        answer = await payer.post(way, {"way": wrong})
        assert answer.status == 422
        assert "<title>Error: " in await answer.text()
    assert await payer.till.attempts(order) == []


async def test_a_way_that_does_not_take_the_amount_is_not_offered(payer: Payer) -> None:
    order = await payer.owe(amount_twd=20)
    page = await payer.see_order(order)
    assert 'value="convenience_store/slip"' in page
    assert 'value="convenience_store/code"' not in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_deadline_goes_into_calendars(payer: Payer, language: str) -> None:
    order = await payer.owe(pay_by=midnight_in(5))
    answer = await payer.get(f"/payments/orders/{order.id}/deadline.ics", language=language)
    assert answer.content_type == "text/calendar"
    content = (await answer.text()).replace("\r\n ", "")
    last = (midnight_in(5) - timedelta(minutes=1)).astimezone(UTC)
    assert f"DTSTART:{last:%Y%m%dT%H%M%SZ}" in content
    assert {"en": "Pay the registration fee: Basic", "zh-TW": "繳納報名費：基礎級暨初級"}[
        language
    ] in content
    assert f"/payments/orders/{order.id}" in content
    await payer.pay(order)
    assert (await payer.get(f"/payments/orders/{order.id}/deadline.ics")).status == 404


@pytest.mark.parametrize("way", ["convenience_store/code", "convenience_store/slip", "atm", "card"])
async def test_the_cashiers_page_is_the_only_one_that_may_lead_there(
    payer: Payer, way: str
) -> None:
    order = await payer.owe()
    page = await payer.choose(order, way)
    answer = await payer.get(page)
    origin = payer.sandbox.url
    policy = answer.headers["Content-Security-Policy"]
    assert policy == CONTENT_SECURITY_POLICY.replace("'self'; frame", f"'self' {origin}; frame")
    assert f'action="{origin}/ecpay/Cashier/AioCheckOut/V5"' in await answer.text()
    for other in (f"/payments/orders/{order.id}", f"/payments/orders/{order.id}/ways"):
        answer = await payer.get(other)
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    # Loaded again, it is the same form, signed: the cashier takes it.
    forms = [read_hidden(await payer.see(page)) for _ in range(2)]
    assert forms[0] == forms[1]
    await payer.sandbox.check_out(forms[0])


async def test_an_attempt_of_long_ago_leads_to_its_order(payer: Payer) -> None:
    order = await payer.owe()
    page = await payer.choose(order, "card")
    await payer.till.pool.execute(
        "UPDATE attempts SET created_at = created_at - $1::interval", CASHIER_TAKES
    )
    answer = await payer.get(page)
    assert (answer.status, answer.headers["Location"]) == (303, f"/payments/orders/{order.id}")
    page = await payer.see_order(order)
    assert "How do you want to pay?" in page, "whoever went has come back by now"


async def test_two_clicks_at_once_charge_nobody_twice(payer: Payer) -> None:
    order = await payer.owe()
    pages = await asyncio.gather(*(payer.choose(order, "card") for _ in range(2)))
    fields = read_hidden(await payer.see(pages[1]))
    await payer.sandbox.check_out(fields)
    await payer.sandbox.pay(fields["MerchantTradeNo"])
    await payer.sandbox.deliver()
    assert (await payer.till.load(order)).state == "paid"
    assert await payer.till.kinds() == {"order": 1}
    await payer.till.see_every_dollar()


async def test_whoever_has_a_code_gets_no_second_one(payer: Payer) -> None:
    order = await payer.owe()
    await payer.take(order, "atm")
    assert await payer.choose(order, "atm") == f"/payments/orders/{order.id}"
    assert len(await payer.till.attempts(order)) == 1


async def test_who_tries_without_end_is_told_so_where_the_choice_is(payer: Payer) -> None:
    order = await payer.owe()
    for _ in range(20):
        await payer.choose(order, "card")
    answer = await payer.post(f"/payments/orders/{order.id}/attempts", {"way": "card"})
    assert answer.status == 409
    assert "You have started to pay very often" in await answer.text()


async def test_a_provider_that_is_away_leaves_the_other_ways(payer: Payer) -> None:
    order = await payer.owe()
    await payer.sandbox.misbehave("fail", on="request", done=False)
    answer = await payer.post(f"/payments/orders/{order.id}/attempts", {"way": "line_pay"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    page = await answer.text()
    assert "does not answer right now, and nothing was taken" in page
    assert 'value="card"' in page
    # And nobody is made to wait for what cannot have been paid.
    assert "How do you want to pay?" in await payer.see_order(order)


@pytest.mark.parametrize("page", ["ways", "attempts/{attempt}"])
async def test_nothing_can_be_begun_when_it_is_over(payer: Payer, page: str) -> None:
    order = await payer.owe()
    await payer.choose(order, "card")
    [attempt] = await payer.till.attempts(order)
    [registration] = order.registration_ids
    now = datetime.now(UTC)
    voided = RegistrationVoided(
        registration_id=registration,
        account_id=payer.account_id,
        reference=order.reference,
        sitting="x",
        sitting_titles={},
        why="refused",
        voided_at=now,
    )
    await payer.till.hear(voided)
    home = f"/payments/orders/{order.id}"
    answer = await payer.get(f"{home}/{page.format(attempt=attempt.id)}")
    assert (answer.status, answer.headers["Location"]) == (303, home)
    answer = await payer.post(f"{home}/attempts", {"way": "card"})
    assert (answer.status, answer.headers["Location"]) == (303, home)
    assert "The time to pay is over." in await payer.see(home)


async def test_somebody_elses_order_does_not_exist(payer: Payer) -> None:
    order = await payer.owe()
    await payer.choose(order, "card")
    [attempt] = await payer.till.attempts(order)
    other = await payer.another()
    home = f"/payments/orders/{order.id}"
    for page in ("", "/ways", f"/attempts/{attempt.id}", "/deadline.ics", "/receipt.pdf"):
        assert (await other.get(home + page)).status == 404
    assert (await other.post(f"{home}/attempts", {"way": "card"})).status == 404
    own = await other.owe()
    answer = await other.get(f"/payments/orders/{own.id}/attempts/{attempt.id}")
    assert answer.status == 404, "also not through an order of one's own"
