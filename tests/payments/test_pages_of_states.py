"""The page of each state of a payment: what it shows, and what one can do now."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from services.payments.order_book import Order
from tests.payments.payer import Payer

LANGUAGES = ["en", "zh-TW"]
CHOICE = "How do you want to pay?"


async def end_time(payer: Payer, order: Order, *, ago: timedelta) -> None:
    """Let an order's deadline have passed so long ago; its attempts with it."""
    await payer.till.pool.execute(
        "UPDATE orders SET pay_by = $2 WHERE id = $1", order.id, datetime.now(UTC) - ago
    )


async def come_back(payer: Payer, address: str) -> str:
    """Follow a browser from LINE Pay back to us; return where it ends."""
    answer = await payer.get(address.removeprefix(str(payer.till.settings.public_url).rstrip("/")))
    assert answer.status == 303
    return answer.headers["Location"]


@pytest.mark.parametrize("way", ["convenience_store/code", "convenience_store/slip", "atm", "card"])
async def test_who_comes_back_from_the_cashier_waits_for_its_word(payer: Payer, way: str) -> None:
    order = await payer.owe()
    await payer.check_out(order, way)
    # As the cashier sends the browser: from another site, with words that prove nothing.
    answer = await payer.site.client.post(
        f"/payments/hooks/ecpay/results/{order.id}",
        data={"RtnCode": "1"},
        headers={**payer.cookie, "Sec-Fetch-Site": "cross-site"},
        allow_redirects=False,
    )
    assert (answer.status, answer.headers["Location"]) == (303, f"/payments/orders/{order.id}")
    page = await payer.see(answer.headers["Location"])
    assert "We are waiting for" in page
    assert ("confirmation" in page) == (way == "card") or "What you were given" in page
    assert "data-poll" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert CHOICE not in page, "a page that reloads holds no form"
    assert f'href="/payments/orders/{order.id}/ways"' in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_store_code_is_shown_large_with_the_machines_it_is_typed_at(
    payer: Payer, language: str
) -> None:
    order = await payer.owe()
    code = await payer.take(order, "convenience_store/code")
    page = await payer.see_order(order, language=language)
    groups = "".join(f"<span>{code[start : start + 4]}</span>" for start in range(0, len(code), 4))
    assert f'<span class="eh-code">{groups}</span>' in page
    for machine in ("ibon", "FamiPort", "Life-ET", "OK·go"):
        assert machine in page


async def test_an_account_is_shown_with_its_bank_and_a_word_about_fees(payer: Payer) -> None:
    order = await payer.owe()
    account = await payer.take(order, "atm")
    page = re.sub("</?span[^>]*>", "", await payer.see_order(order))
    for words in ("004", account, "NT$250", "may charge a fee"):
        assert words in page


async def test_a_slip_is_a_paper_to_print(payer: Payer) -> None:
    order = await payer.owe()
    await payer.take(order, "convenience_store/slip")
    [attempt] = await payer.till.attempts(order)
    page = await payer.see_order(order)
    assert f"/payments/orders/{order.id}/attempts/{attempt.id}/slip.pdf" in page
    assert "Up to 3 working days" in await payer.see(f"/payments/orders/{order.id}/ways")


async def test_nothing_is_shown_to_be_paid_later_than_our_deadline(payer: Payer) -> None:
    soon = datetime.now(UTC) + timedelta(hours=2)
    order = await payer.owe(pay_by=soon)
    await payer.take(order, "convenience_store/slip")  # ECPay knows nothing shorter than a day
    [attempt] = await payer.till.attempts(order)
    assert attempt.expires_at
    assert attempt.expires_at > soon
    page = await payer.see_order(order)
    shown = {datetime.fromisoformat(one) for one in re.findall(r'<time datetime="([^"]+)"', page)}
    assert max(shown) < soon


async def test_line_pay_is_a_link_and_on_a_desktop_also_a_picture(payer: Payer) -> None:
    order = await payer.owe()
    assert await payer.choose(order, "line_pay") == f"/payments/orders/{order.id}"
    [attempt] = await payer.till.attempts(order)
    page = await payer.see_order(order)
    assert f'href="{attempt.instructions["web"]}"' in page
    assert '<div class="eh-on-desktop">' in page
    assert "<svg" in page.partition("eh-on-desktop")[2]
    # Pressed again it is the same request: LINE Pay has been asked once.
    await payer.choose(order, "line_pay")
    assert len(await payer.till.attempts(order)) == 1


async def test_who_approves_at_line_pay_comes_back_to_a_page_that_says_paid(payer: Payer) -> None:
    order = await payer.owe()
    await payer.choose(order, "line_pay")
    [attempt] = await payer.till.attempts(order)
    back = await payer.sandbox.approve(attempt.instructions["web"])
    page = await payer.see(await come_back(payer, back))
    assert "Your payment has arrived." in page
    await payer.till.see_every_dollar()


async def test_an_approval_without_an_answer_is_waited_for(payer: Payer, impatient: None) -> None:
    order = await payer.owe()
    await payer.choose(order, "line_pay")
    [attempt] = await payer.till.attempts(order)
    back = await payer.sandbox.approve(attempt.instructions["web"])
    await payer.sandbox.misbehave("fail", on="confirm", done=True)
    page = await payer.see(await come_back(payer, back))
    assert "We are waiting for LINE Pay" in page
    assert attempt.instructions["web"] not in page, "nobody should pay once more now"
    assert '<noscript><meta http-equiv="refresh"' in page
    await payer.till.ask_all()
    assert "Your payment has arrived." in await payer.see_order(order)


async def test_who_cancels_at_line_pay_may_try_again(payer: Payer) -> None:
    order = await payer.owe()
    await payer.choose(order, "line_pay")
    [attempt] = await payer.till.attempts(order)
    back = await payer.sandbox.cancel(attempt.instructions["web"])
    page = await payer.see(await come_back(payer, back))
    assert "The payment did not succeed" in page
    assert "nothing was taken" in page
    assert CHOICE in page
    await payer.choose(order, "line_pay")
    assert len(await payer.till.attempts(order)) == 2


async def test_what_line_pay_gave_out_runs_out(payer: Payer) -> None:
    order = await payer.owe()
    await payer.choose(order, "line_pay")
    await payer.till.pool.execute("UPDATE attempts SET expires_at = now()")
    page = await payer.see_order(order)
    assert "has run out: LINE Pay." in page
    assert CHOICE in page


async def test_a_declined_card_may_be_tried_again(payer: Payer) -> None:
    order = await payer.owe()
    await payer.sandbox.decline(await payer.check_out(order, "card"))
    await payer.sandbox.deliver()
    page = await payer.see_order(order)
    assert "The card was declined, and nothing was taken." in page
    assert CHOICE in page
    await payer.pay(order)
    assert "Your payment has arrived." in await payer.see_order(order)


async def test_the_way_can_be_changed_and_what_was_given_before_still_works(payer: Payer) -> None:
    order = await payer.owe()
    code = await payer.take(order, "convenience_store/code")
    account = await payer.take(order, "atm")
    page = re.sub("</?span[^>]*>", "", await payer.see_order(order))
    now, _, before = page.partition("What also still works")
    assert account in now
    assert code in before
    assert "Pay once only" in before
    # Whoever goes back to the first is not given another.
    await payer.choose(order, "convenience_store/code")
    await payer.sandbox.pay(code)
    await payer.sandbox.deliver()
    page = await payer.see_order(order)
    assert "Your payment has arrived." in page
    assert account not in re.sub("</?span[^>]*>", "", page)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_paid_order_says_how_and_when_and_has_a_receipt(
    payer: Payer, language: str
) -> None:
    order = await payer.owe()
    await payer.pay(order)
    page = await payer.see_order(order, language=language)
    assert {"en": "Card", "zh-TW": "信用卡"}[language] in page
    assert f"/payments/orders/{order.id}/receipt.pdf" in page
    assert "/ways" not in page
    assert "data-poll" not in page


async def test_after_the_deadline_late_reports_are_waited_for(payer: Payer) -> None:
    order = await payer.owe()
    await payer.take(order, "convenience_store/slip")
    [attempt] = await payer.till.attempts(order)
    await end_time(payer, order, ago=timedelta(minutes=1))
    page = await payer.see_order(order)
    assert "The time to pay is over." in page
    known_by = attempt.last_ask_at.astimezone(payer.till.settings.time_zone)
    assert f"{known_by.day} {known_by:%B %Y} at {known_by:%H:%M}" in page
    assert "do not pay any more" in page
    for gone in (CHOICE, "slip.pdf", "/ways"):
        assert gone not in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_lapsed_order_says_what_one_can_do(payer: Payer, language: str) -> None:
    order = await payer.owe()
    await end_time(payer, order, ago=timedelta(minutes=1))
    payer.till.now = datetime.now(UTC)
    assert await payer.till.lapse() == 1
    page = await payer.see_order(order, language=language)
    assert {"en": "Lapsed", "zh-TW": "已失效"}[language] in page
    assert 'href="/enrollment/"' in page
    assert "/receipt.pdf" not in page


async def test_late_money_is_seen_by_whoever_paid_it(payer: Payer) -> None:
    order = await payer.owe()
    account = await payer.take(order, "atm")
    await payer.till.pool.execute(
        "UPDATE attempts SET in_time_until = created_at - interval '1 minute'"
    )
    await end_time(payer, order, ago=timedelta(seconds=1))
    await payer.sandbox.pay(account)
    await payer.sandbox.deliver()
    page = await payer.see_order(order)
    assert "We received NT$250 on" in page
    assert "This was paid after the deadline" in page
    assert "Nothing is lost" in page


async def test_a_wrong_amount_is_seen_and_the_order_can_still_be_paid(payer: Payer) -> None:
    order = await payer.owe()
    account = await payer.take(order, "atm")
    await payer.sandbox.pay(account, amount=200)
    await payer.sandbox.deliver()
    page = await payer.see_order(order)
    assert "We received NT$200 on" in page
    assert "not the amount that is owed" in page
    assert CHOICE in page


async def test_no_page_says_the_same_in_both_languages(payer: Payer) -> None:
    """Whatever is forgotten in a catalogue shows up in English on the Chinese page."""
    order = await payer.owe()
    await payer.choose(order, "line_pay")
    [attempt] = await payer.till.attempts(order)
    pages = [
        *("/payments/", f"/payments/orders/{order.id}", f"/payments/orders/{order.id}/ways"),
        f"/payments/registrations/{attempt.id}",
    ]
    for page in pages:
        main = (
            (await payer.see(page, language="zh-TW")).partition("<main")[2].partition("</main")[0]
        )
        words = re.sub(r"<svg.*?</svg>|<[^>]+>|HK-\S+", " ", main, flags=re.DOTALL)
        assert re.findall(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", words) == []
