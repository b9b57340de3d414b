"""Staff: invited by an administrator, proved twice, and a change of role is felt at once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest

from services.identity import second_factors
from shared.auth import Role
from shared.db import transaction
from shared.events.identity import StaffInvited
from tests.conftest import MakeDatabase
from tests.site import FROM_OUR_PAGE, PASSWORD, SECOND_FACTOR, Site, open_site

ADMINISTRATOR = "admin@exam.example"
REGISTRAR = "lin@exam.example"
NOW = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment") as site:
        await site.add_account(ADMINISTRATOR, Role.ADMINISTRATOR)
        yield site


async def account_id(site: Site, email: str) -> UUID:
    found: UUID = await site.pools["identity"].fetchval(
        "SELECT id FROM accounts WHERE email_key = $1", email
    )
    return found


async def status(site: Site, path: str, cookies: dict[str, str] | None = None) -> int:
    answer = await site.client.get(path, cookies=cookies, allow_redirects=False)
    return answer.status


async def test_from_invitation_to_the_first_page(site: Site) -> None:
    await site.sign_in(ADMINISTRATOR)
    sent = await site.post(
        "/identity/staff/people/new", person="林雅婷", email=REGISTRAR, roles=["registrar"]
    )
    assert sent.status == 303
    await site.deliver()
    [letter] = site.letters
    assert isinstance(letter, StaffInvited)
    assert (letter.email, letter.roles) == (REGISTRAR, ["registrar"])
    site.client.session.cookie_jar.clear()

    weak = await site.post(site.newest_link(), password="short", password_again="short")
    assert weak.status == 422
    accepted = await site.post(site.newest_link(), password=PASSWORD, password_again=PASSWORD)
    assert accepted.headers["Location"] == "/identity/second-factor"
    assert await status(site, "/enrollment/staff/") == 303, "a password alone is not enough"
    page = await (await site.client.get("/identity/second-factor")).text()
    secret = page.split('<code class="eh-key">', 1)[1].split("<", 1)[0].replace(" ", "")
    assert "<svg" in page
    again = await (await site.client.get("/identity/second-factor/new")).text()
    assert secret in again.replace(" ", ""), "the app may have read the picture already"
    wrong = await site.post("/identity/second-factor/new", code="000000")
    assert wrong.status == 422
    proved = await site.post("/identity/second-factor/new", code=pyotp.TOTP(secret).now())
    assert proved.status == 303
    assert await status(site, "/enrollment/staff/") == 200


async def test_staff_are_not_in_before_the_code(site: Site) -> None:
    answer = await site.post("/identity/sign-in", email=ADMINISTRATOR, password=PASSWORD)
    assert answer.headers["Location"] == "/identity/second-factor"
    assert await status(site, "/identity/staff/") == 303
    for _ in range(4):
        assert (await site.post("/identity/second-factor", code="123456")).status == 422
    code = pyotp.TOTP(SECOND_FACTOR).now()
    locked = await site.post("/identity/second-factor", code=code)
    assert "連續錯誤超過三次" in await locked.text(), "six digits are not to be guessed"


async def test_without_the_password_there_is_no_second_step(site: Site) -> None:
    for path in ("/identity/second-factor", "/identity/second-factor/new"):
        answer = await site.client.get(path, allow_redirects=False)
        assert answer.headers["Location"] == "/identity/sign-in"
        answer = await site.post(path, code=pyotp.TOTP(SECOND_FACTOR).now())
        assert answer.headers["Location"] in {"/identity/sign-in", "/identity/second-factor/new"}
    assert await status(site, "/identity/staff/") == 303


async def test_a_tampered_step_is_no_step(site: Site) -> None:
    await site.post("/identity/sign-in", email=ADMINISTRATOR, password=PASSWORD)
    [step] = [c.value for c in site.client.session.cookie_jar if c.key == "sign-in-step"]
    flipped = f"{int(step[-1], 16) ^ 1:x}"
    for forged in (step[:-1] + flipped, "nonsense", "00" * 60):
        site.client.session.cookie_jar.clear()
        site.client.session.cookie_jar.update_cookies({"sign-in-step": forged})
        answer = await site.post("/identity/second-factor", code="123456")
        assert answer.headers["Location"] == "/identity/sign-in"


async def test_who_proved_a_password_that_was_changed_since_begins_again(site: Site) -> None:
    await site.post("/identity/sign-in", email=ADMINISTRATOR, password=PASSWORD)
    await site.post("/identity/forgotten-password", email=ADMINISTRATOR)
    await site.answer_inquiries()
    chosen = {"password": "another horse 43", "password_again": "another horse 43"}
    assert (await site.post(site.newest_link(), **chosen)).status == 303
    for path in ("/identity/second-factor", "/identity/second-factor/new"):
        answer = await site.client.get(path, allow_redirects=False)
        assert answer.headers["Location"] == "/identity/sign-in"
    code = pyotp.TOTP(SECOND_FACTOR).now()
    answer = await site.post("/identity/second-factor", code=code)
    assert answer.headers["Location"] == "/identity/sign-in"


async def test_a_code_works_once(site: Site) -> None:
    code = pyotp.TOTP(SECOND_FACTOR).now()
    await site.post("/identity/sign-in", email=ADMINISTRATOR, password=PASSWORD)
    assert (await site.post("/identity/second-factor", code=code)).status == 303
    site.client.session.cookie_jar.clear()
    await site.post("/identity/sign-in", email=ADMINISTRATOR, password=PASSWORD)
    again = await site.post("/identity/second-factor", code=code)
    assert again.status == 422
    assert "驗證碼不正確或已使用過" in await again.text()


def test_a_clock_may_be_half_a_minute_off_but_not_more() -> None:
    totp = pyotp.TOTP(SECOND_FACTOR)
    for seconds, accepted in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        code = totp.at(NOW + timedelta(seconds=seconds))
        found = second_factors.find_step(SECOND_FACTOR, code, now=NOW)
        assert (found is not None) is accepted, seconds


async def test_a_role_that_is_taken_away_is_gone_at_once_everywhere(site: Site) -> None:
    await site.add_account(REGISTRAR, Role.REGISTRAR)
    await site.sign_in(REGISTRAR)
    registrar = {c.key: c.value for c in site.client.session.cookie_jar}
    site.client.session.cookie_jar.clear()
    await site.sign_in(ADMINISTRATOR)
    person = f"/identity/staff/people/{await account_id(site, REGISTRAR)}"
    assert (await site.post(f"{person}/roles", roles=["finance"])).status == 303
    await site.deliver()
    site.client.session.cookie_jar.clear()
    site.client.session.cookie_jar.update_cookies(registrar)
    renewed = await site.client.get("/enrollment/staff/")
    assert renewed.status in {403, 503}, "the old token is worthless, the new one has other roles"


async def test_the_last_administrator_stays(site: Site) -> None:
    await site.sign_in(ADMINISTRATOR)
    own = f"/identity/staff/people/{await account_id(site, ADMINISTRATOR)}"
    refused = await site.post(f"{own}/roles", roles=["finance"])
    assert refused.status == 409
    assert await status(site, "/identity/staff/people") == 200


async def test_somebody_with_an_account_gets_the_roles_at_once(site: Site) -> None:
    await site.add_account("chen@exam.example")
    await site.sign_in(ADMINISTRATOR)
    answer = await site.post(
        "/identity/staff/people/new", person="陳", email="chen@exam.example", roles=["examiner"]
    )
    assert answer.status == 303
    await site.deliver()
    assert site.letters == []
    page = await (await site.client.get("/identity/staff/people")).text()
    assert "chen@exam.example" in page
    site.client.session.cookie_jar.clear()
    await site.post("/identity/sign-in", email="chen@exam.example", password=PASSWORD)
    setup = await site.client.get("/identity/second-factor")
    assert setup.url.path == "/identity/second-factor/new"


async def test_a_lost_phone_is_replaced_with_an_administrators_help(site: Site) -> None:
    await site.add_account(REGISTRAR, Role.REGISTRAR)
    await site.sign_in(ADMINISTRATOR)
    person = f"/identity/staff/people/{await account_id(site, REGISTRAR)}"
    assert (await site.post(f"{person}/second-factor-reset")).status == 303
    site.client.session.cookie_jar.clear()
    await site.post("/identity/sign-in", email=REGISTRAR, password=PASSWORD)
    setup = await site.client.get("/identity/second-factor")
    assert setup.url.path == "/identity/second-factor/new"


async def test_an_administrator_signs_somebody_out_everywhere(site: Site) -> None:
    await site.add_account(REGISTRAR, Role.REGISTRAR)
    await site.sign_in(REGISTRAR)
    registrar = {c.key: c.value for c in site.client.session.cookie_jar}
    site.client.session.cookie_jar.clear()
    await site.sign_in(ADMINISTRATOR)
    person = f"/identity/staff/people/{await account_id(site, REGISTRAR)}"
    assert (await site.post(f"{person}/sign-out")).status == 303
    await site.deliver()
    site.client.session.cookie_jar.clear()
    assert await status(site, "/enrollment/staff/", registrar) == 303


async def test_what_administrators_do_leaves_audit_lines(site: Site) -> None:
    await site.add_account(REGISTRAR, Role.REGISTRAR)
    await site.sign_in(ADMINISTRATOR)
    administrator = await account_id(site, ADMINISTRATOR)
    person = f"/identity/staff/people/{await account_id(site, REGISTRAR)}"
    await site.post(f"{person}/roles", roles=["finance"])
    await site.post(f"{person}/second-factor-reset")
    await site.post(
        "/identity/staff/people/new", person="X", email="x@exam.example", roles=["centre"]
    )
    async with transaction(site.pools["identity"]) as tx:
        rows = await tx.fetch(
            "SELECT act FROM audit_lines WHERE actor = $1 ORDER BY id", str(administrator)
        )
    acts = [row["act"] for row in rows]
    assert acts[-4:] == [
        "roles_changed",
        "second_factor_forgotten",
        "signed_out_everywhere",
        "staff_invited",
    ]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"person": "X", "email": "x@exam.example"}, "請至少選擇一個角色"),
        ({"person": "X", "email": "nonsense", "roles": "centre"}, "name@example.com"),
        ({"email": "x@exam.example", "roles": "centre"}, "請輸入對方的姓名"),
        ({"person": "X", "email": "x@exam.example", "roles": "emperor"}, "請至少選擇一個角色"),
    ],
)
async def test_an_invitation_says_what_is_missing(
    site: Site, form: dict[str, str], said: str
) -> None:
    await site.sign_in(ADMINISTRATOR)
    answer = await site.client.post("/identity/staff/people/new", data=form, headers=FROM_OUR_PAGE)
    assert answer.status == 422
    assert said in await answer.text()
