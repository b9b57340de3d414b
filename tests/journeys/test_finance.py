"""Finance: what was paid twice goes back by two people's hands, and a file's differences are
settled."""

import csv
import io
from datetime import UTC, datetime

import pytest

from services.payments.rules import TAIPEI
from tests.eventually import eventually
from tests.journeys.conftest import Arrive, Place
from tests.journeys.payer import Payer, arrive_to_pay
from tests.journeys.test_paying import BACK
from tests.journeys.test_staff import sign_in_as
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

STAFF = "/payments/staff"
WORDS = {
    "en": {
        "differs": "The amounts differ",
        "unknown": "Money in the file that we had not heard of",
        "done": "completed",
    },
    "zh-Hant-TW": {
        "differs": "金額不符",
        "unknown": "檔案中有、我方未獲通知的款項",
        "done": "已完成",
    },
}


async def pay_twice(payer: Payer) -> str:
    """Take an account and a code, and pay both; return the order's id."""
    await payer.find_order()
    await payer.choose("atm")
    await payer.visitor.page.select_option("#bank", "ATM_ESUN")
    await payer.press_there("issue")
    await payer.come_back(BACK)
    await payer.waits_for(".eh-code")
    account = (await payer.visitor.page.locator(".eh-code").all_inner_texts())[1]
    await payer.choose("convenience_store/code")
    await payer.press_there("issue")
    await payer.come_back(BACK)
    await payer.waits_for(".eh-code")
    code = await payer.visitor.page.locator(".eh-code").first.inner_text()
    await payer.pay_at_the_counter(account)
    await payer.pay_at_the_counter(code)
    await payer.sees_paid()
    return payer.visitor.path.rpartition("/")[2]


async def both_arrived(payer: Payer, order_id: str) -> None:
    """The second payment may be on its way when the page says that the first has come."""
    async with payer.connect("payments") as connection:

        async def counted() -> bool:
            sql = "SELECT count(*) FROM captures WHERE order_id = $1"
            return bool(await connection.fetchval(sql, order_id) == 2)

        await eventually(counted)


async def click(clerk: Visitor, what: str) -> None:
    """Press or follow something by what it is, not by its words."""
    async with clerk.page.expect_navigation():
        await clerk.page.locator(f"main {what}").first.click()
    await clerk.look()


@in_two_ways
async def test_what_was_paid_twice_goes_back(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    payer = await arrive_to_pay(arrive, place)
    order_id = await pay_twice(payer)
    await both_arrived(payer, order_id)
    ann, bob = [await arrive(language, script=script) for _ in range(2)]
    for clerk in (ann, bob):
        await sign_in_as(clerk, place, "finance")

    await ann.open(f"{STAFF}/orders/{order_id}")
    await click(ann, f"a[href^='{STAFF}/refunds/']")
    refund = ann.path
    await click(ann, "button[value=payee]")
    assert await ann.page.locator("[role=status]").count() == 1
    assert await ann.page.locator("form[action$='/approval']").count() == 0, "four eyes"

    await bob.open(f"{STAFF}/refunds?state=proposed")
    await click(bob, f"a[href='{refund}']")
    await click(bob, "form[action$='/approval'] button")

    await ann.open(refund)
    await click(ann, "a[href$='/payee']")
    await ann.fill(
        payee="王大同",
        postal_code="106",
        address="臺北市大安區和平東路一段162號",
        phone="0912345678",
    )
    await ann.press()
    today = datetime.now(TAIPEI)
    await ann.fill(number="")
    await ann.press()
    assert await ann.page.locator(".govuk-error-summary").count() == 1
    await ann.fill(number=f"A{today:%H%M%S%f}", **day_of(today))
    await ann.press()
    assert WORDS[language]["done"] in await ann.text()
    await payer.visitor.open(f"/payments/orders/{order_id}")


def day_of(day: datetime) -> dict[str, str]:
    return {
        "'paid_on-year'": str(day.year),
        "'paid_on-month'": str(day.month),
        "'paid_on-day'": str(day.day),
    }


async def find_file(payer: Payer, order_id: str, stranger: str) -> bytes:
    """The provider's file of today with our two payments: one of another amount, and beside them
    money of somebody else."""
    day = datetime.now(TAIPEI).date()
    answer = await payer.visitor.page.request.get(f"{payer.sandbox}/ecpay/settlement/{day}.csv")
    header, *rows = csv.reader(io.StringIO((await answer.body()).decode("cp950")))
    async with payer.connect("payments") as connection:
        sql = "SELECT trade_number FROM captures WHERE order_id = $1"
        ours = {row["trade_number"] for row in await connection.fetch(sql, order_id)}
    number, amount, net = (header.index(n) for n in ("特店訂單編號", "交易金額", "應收款項(淨額)"))
    first, second = [row for row in rows if row[number] in ours]
    other = [*second]
    other[number] = stranger
    first[amount], first[net] = "300", str(int(first[net]) + 50)
    out = io.StringIO()
    csv.writer(out).writerows([header, first, second, other])
    return out.getvalue().encode("cp950")


@in_two_ways
async def test_a_file_that_differs_is_imported_and_settled(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    payer = await arrive_to_pay(arrive, place)
    order_id = await pay_twice(payer)
    await both_arrived(payer, order_id)
    stranger = f"X{datetime.now(UTC):%H%M%S%f}"
    content = await find_file(payer, order_id, stranger)
    clerk, words = await arrive(language, script=script), WORDS[language]
    await sign_in_as(clerk, place, "finance")

    await clerk.open(f"{STAFF}/reconciliation")
    await click(clerk, "form[action$='/files'] button")
    assert await clerk.page.locator(".govuk-error-summary").count() == 1, "no file was chosen"
    upload = {"name": "3002607.csv", "mimeType": "text/csv", "buffer": content}
    await clerk.page.set_input_files("#file", upload)  # type: ignore[arg-type]
    await click(clerk, "form[action$='/files'] button")
    for word in (words["differs"], words["unknown"], stranger, "NT$300"):
        assert word in await clerk.text(), word
    await clerk.open(f"{STAFF}/money")
    assert stranger not in await clerk.text(), "looking changes nothing"
    await clerk.page.go_back()
    await click(clerk, "form[action$='/import'] button")
    await click(clerk, "table a:has-text('" + words["differs"] + "')")
    await clerk.press()
    assert await clerk.page.locator(".govuk-error-summary").count() == 1, "a note is needed"
    await clerk.fill(note="The store's clerk mistyped it; ECPay corrects it tomorrow.")
    await clerk.press()
    assert "mistyped" in await clerk.text()

    for page in ("/reconciliation/differences", "/money", "/totals", "/refunds", "/orders", "/"):
        await clerk.open(STAFF + page)
    await clerk.open(f"{STAFF}/orders?number={stranger}")
    await click(clerk, f"a[href^='{STAFF}/money/']")
    assert stranger in await clerk.text()
