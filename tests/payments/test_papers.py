"""The slip is what a store's till reads, the receipt what was paid; both are for their owner."""

import io
import re
import subprocess
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from PIL import Image

from deploy.sandbox.ecpay import slips
from services.payments import order_book, orders
from services.payments.order_book import Item, Order
from services.payments.orders import NewOrder
from shared.db import transaction
from tests.payments.payer import Payer
from tests.payments.till import TITLES
from tests.shared.test_codes import SIGNS

LANGUAGES = ["en", "zh-TW"]
DOTS_A_MILLIMETRE = 300 / 25.4


def read(document: bytes) -> str:
    """Read a document's words, in their lines."""
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=document, capture_output=True, check=True
    )
    return done.stdout.decode()


def scan(document: bytes) -> list[str]:
    """Read the bar codes as a till does: from light and dark on paper, from the top down."""
    printed = subprocess.run(
        ["pdftoppm", "-r", "300", "-gray", "-png", "-"],
        input=document,
        capture_output=True,
        check=True,
    )
    paper = Image.open(io.BytesIO(printed.stdout)).convert("L")
    found: dict[str, int] = {}
    for y in range(paper.height):
        row = paper.crop((0, y, paper.width, y + 1)).tobytes()
        text = _scan_row("".join("1" if light < 128 else "0" for light in row))
        if text:
            found[text] = found.get(text, 0) + 1
    # A bar code is as high as a till needs it: 10 mm or more, all of which say the same.
    return [text for text, rows in found.items() if rows >= 10 * DOTS_A_MILLIMETRE]


def _scan_row(row: str) -> str | None:
    runs = [len(run) for run in re.findall("1+|0+", row.strip("0"))]
    if len(runs) % 10 != 9:
        return None
    narrow = min(runs)
    wide = ["1" if run > 1.8 * narrow else "0" for run in runs]
    signs = ["".join(wide[start : start + 9]) for start in range(0, len(wide), 10)]
    text = "".join(SIGNS.get(sign, "?") for sign in signs)
    return text[1:-1] if text[0] == text[-1] == "*" and "?" not in text else None


async def open_slip(payer: Payer, order: Order, *, language: str = "en") -> bytes:
    [attempt] = await payer.till.attempts(order)
    page = f"/payments/orders/{order.id}/attempts/{attempt.id}/slip.pdf"
    answer = await payer.get(page, language=language)
    assert (answer.status, answer.content_type) == (200, "application/pdf")
    return await answer.read()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_till_reads_the_three_bar_codes_of_a_slip(payer: Payer, language: str) -> None:
    order = await payer.owe()
    await payer.take(order, "convenience_store/slip")
    [attempt] = await payer.till.attempts(order)
    segments = [attempt.instructions[f"barcode{n}"] for n in (1, 2, 3)]
    slip = await open_slip(payer, order, language=language)
    assert scan(slip) == segments
    # The words below say the same, to whoever has to type them.
    lines = [line.strip() for line in read(slip).splitlines()]
    assert [line for line in lines if line in segments] == segments
    # And the till works out the same check characters, by rules of its own.
    assert slips.is_sound(segments[0], segments[1], segments[2])
    assert segments[2].endswith("000000250")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_slip_says_for_what_how_much_and_until_when(payer: Payer, language: str) -> None:
    soon = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=2)
    order = await payer.owe(pay_by=soon)  # sooner than ECPay's slip runs out
    await payer.take(order, "convenience_store/slip")
    words = "".join(read(await open_slip(payer, order, language=language)).split())
    last = (soon - timedelta(minutes=1)).astimezone(payer.till.settings.time_zone)
    title = {"en": "Basic", "zh-TW": "基礎級暨初級"}[language]
    for expected in (title, "HK-7Q4M-2XKD", "NT$250", f"{last:%H:%M}"):
        assert expected in words


async def test_a_slip_can_be_had_as_long_as_it_can_be_paid(payer: Payer) -> None:
    order = await payer.owe()
    await payer.check_out(order, "convenience_store/slip")
    [attempt] = await payer.till.attempts(order)
    page = f"/payments/orders/{order.id}/attempts/{attempt.id}/slip.pdf"
    assert (await payer.get(page)).status == 404, "not given out yet"
    code = await payer.sandbox.issue(attempt.trade_number)
    await payer.sandbox.deliver()
    assert (await payer.get(page)).status == 200
    assert (await (await payer.another()).get(page)).status == 404
    await payer.sandbox.pay(code)
    await payer.sandbox.deliver()
    await payer.till.ask_all()
    assert (await payer.till.load(order)).state == "paid"
    assert (await payer.get(page)).status == 404, "nobody should pay it again"


async def test_bar_codes_that_were_garbled_on_their_way_are_not_printed(payer: Payer) -> None:
    order = await payer.owe()
    await payer.take(order, "convenience_store/slip")
    await payer.till.pool.execute(
        """
        UPDATE attempts SET instructions = instructions || '{"barcode2": "0000000000000000"}'
        """
    )
    [attempt] = await payer.till.attempts(order)
    page = f"/payments/orders/{order.id}/attempts/{attempt.id}/slip.pdf"
    assert (await payer.get(page)).status == 404


async def open_receipt(payer: Payer, order: Order, *, language: str = "en") -> str:
    page = f"/payments/orders/{order.id}/receipt.pdf"
    answer = await payer.get(page, language=language)
    assert (answer.status, answer.content_type) == (200, "application/pdf")
    return read(await answer.read())


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_receipt_says_who_paid_what_how_and_when(payer: Payer, language: str) -> None:
    order = await payer.owe(exam_date=date(2026, 12, 19))
    await payer.pay(order)
    [attempt] = await payer.till.attempts(order)
    receipt = "".join((await open_receipt(payer, order, language=language)).split())
    paid = await payer.till.load(order)
    assert paid.paid_at
    at = paid.paid_at.astimezone(payer.till.settings.time_zone)
    own = {
        "en": ["Basic", "Card", f"{at.day}{at:%B%Yat%H:%M}", "Saturday19December2026"],
        "zh-TW": ["基礎級暨初級", "信用卡", f"{at.month}月{at.day}日", "2026年12月19日（星期六）"],
    }[language]
    for words in ("HK-7Q4M-2XKD", "NT$250", "林怡君", attempt.trade_number, *own):
        assert words in receipt


async def test_a_receipt_of_several_lists_each_of_them(payer: Payer) -> None:
    now = datetime.now(UTC)
    new = NewOrder(
        account_id=payer.account_id,
        reference="HK-GROUP",
        titles=TITLES,
        methods=["card"],
        opened_at=now,
        pay_by=now + timedelta(days=1),
        items=[
            Item(uuid4(), f"HK-{number}", TITLES, "n1", "hakka-115", date(2026, 12, 19), 250)
            for number in range(3)
        ],
    )
    async with transaction(payer.till.pool) as tx:
        await orders.open_(tx, orders=[new])
        order = await order_book.load_any(tx, order_id=new.id)
    await payer.pay(order)
    for words in ("HK-GROUP", "HK-0", "HK-1", "HK-2"):
        assert words in await payer.see_order(order)
    receipt = await open_receipt(payer, order)
    assert (receipt.count("NT$250"), receipt.count("NT$750")) == (3, 1)


async def test_there_is_no_receipt_of_what_was_not_paid(payer: Payer) -> None:
    order = await payer.owe()
    assert (await payer.get(f"/payments/orders/{order.id}/receipt.pdf")).status == 404
    await payer.pay(order)
    page = f"/payments/orders/{order.id}/receipt.pdf"
    assert (await (await payer.another()).get(page)).status == 404
