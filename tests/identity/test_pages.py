"""Signing in and out: who gets in, who does not, and how fast every service knows."""

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.identity import accounts, keys, sessions
from services.identity.rules import LONGEST_PASSWORD
from services.identity.settings import Settings
from shared import auth
from shared.auth import Role
from shared.db import transaction
from tests.conftest import MakeDatabase
from tests.site import FROM_OUR_PAGE, PASSWORD, Site, open_site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment", "payments") as site:
        yield site


async def status(site: Site, path: str) -> int:
    answer = await site.client.get(path, allow_redirects=False)
    return answer.status


async def sign_out(site: Site) -> None:
    await site.client.post("/identity/sign-out", headers=FROM_OUR_PAGE, allow_redirects=False)


async def sign_in_earlier(site: Site, email: str, *, before: timedelta) -> str:
    """Sign somebody in a little more than this long ago; return the token."""
    then = datetime.now(UTC) - before - timedelta(seconds=1)
    settings = site.settings["identity"]
    assert isinstance(settings, Settings)
    async with transaction(site.pools["identity"]) as tx:
        account = await accounts.find_by_email(tx, email=email)
        key = await keys.find_current(tx, vault=settings.vault, now=datetime.now(UTC))
        assert account
        assert key
        session = await sessions.begin(tx, account=account, now=then)
        return sessions.sign(session, account, key, now=then)


async def test_staff_who_sign_in_are_known_to_every_service_by_their_role(site: Site) -> None:
    await site.add_account("lin@exam.example", Role.REGISTRAR)
    assert await status(site, "/enrollment/staff/") == 303
    assert await site.sign_in("Lin@Exam.example ") == 303
    assert await status(site, "/enrollment/staff/") == 200
    assert await status(site, "/payments/staff/") == 403
    assert "lin@exam.example" in await (await site.client.get("/identity/")).text()


async def test_a_candidate_is_not_staff(site: Site) -> None:
    await site.add_account("chen@exam.example")
    assert await site.sign_in("chen@exam.example") == 303
    assert await status(site, "/enrollment/staff/") == 403
    assert await status(site, "/identity/staff/") == 403


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("lin@exam.example", "wrong password"),
        ("nobody@exam.example", PASSWORD),
        ("lin@exam.example", "x" * (LONGEST_PASSWORD + 1)),
    ],
)
async def test_wrong_details_all_get_the_same_answer(site: Site, email: str, password: str) -> None:
    await site.add_account("lin@exam.example")
    answer = await site.client.post(
        "/identity/sign-in", data={"email": email, "password": password}, headers=FROM_OUR_PAGE
    )
    page = await answer.text()
    assert answer.status == 422
    assert "電子郵件地址或密碼不正確" in page
    assert email in page, "what was typed is kept"
    assert password not in page, "but never a password"
    assert "Set-Cookie" not in answer.headers


async def test_an_empty_form_says_what_is_missing(site: Site) -> None:
    answer = await site.client.post("/identity/sign-in", data={}, headers=FROM_OUR_PAGE)
    page = await answer.text()
    assert answer.status == 422
    assert page.count("請輸入電子郵件地址") == 2, "in the summary and at the field"
    assert "<title>錯誤：" in page


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/payments/", "/payments/"),
        ("", "/identity/"),
        ("https://evil.example/", "/identity/"),
        ("//evil.example/", "/identity/"),
        ("/\\evil.example", "/identity/"),
        ("/\n/evil.example", "/identity/"),
    ],
)
async def test_after_signing_in_only_our_own_pages_are_reached(
    site: Site, wanted: str, reached: str
) -> None:
    await site.add_account("chen@exam.example")
    answer = await site.client.post(
        "/identity/sign-in",
        data={"email": "chen@exam.example", "password": PASSWORD, "next": wanted},
        headers=FROM_OUR_PAGE,
        allow_redirects=False,
    )
    assert answer.headers["Location"] == reached


async def test_signing_out_ends_a_copied_session_in_every_service(site: Site) -> None:
    await site.add_account("lin@exam.example", Role.REGISTRAR)
    await site.sign_in("lin@exam.example")
    copied = {c.key: c.value for c in site.client.session.cookie_jar}
    await sign_out(site)
    await site.deliver()
    for path in ("/enrollment/staff/", "/identity/renewal?next=/enrollment/staff/"):
        answer = await site.client.get(path, cookies=copied, allow_redirects=False)
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/identity/")
    final = await site.client.get("/enrollment/staff/", cookies=copied)
    assert final.url.path == "/identity/sign-in"


async def test_a_session_that_grew_old_is_renewed_on_the_way_to_a_page(site: Site) -> None:
    await site.add_account("lin@exam.example", Role.REGISTRAR)
    token = await sign_in_earlier(site, "lin@exam.example", before=auth.RENEW_AFTER)
    site.client.session.cookie_jar.update_cookies({"session": token})
    answer = await site.client.get("/enrollment/staff/?page=2")
    assert (answer.status, answer.url.path_qs) == (200, "/enrollment/staff/?page=2")
    assert [step.headers["Location"] for step in answer.history] == [
        "/identity/renewal?next=/enrollment/staff/?page%3D2",
        "/enrollment/staff/?page=2",
    ]
    assert [cookie.value for cookie in site.client.session.cookie_jar] != [token]


async def test_a_form_that_took_long_to_type_is_not_lost_to_a_renewal(site: Site) -> None:
    await site.add_account("lin@exam.example", Role.REGISTRAR)
    token = await sign_in_earlier(site, "lin@exam.example", before=auth.RENEW_AFTER)
    answer = await site.client.post(
        "/identity/sign-out",
        headers={**FROM_OUR_PAGE, "Cookie": f"session={token}"},
        allow_redirects=False,
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_a_service_that_has_not_heard_of_the_key_does_not_send_people_round_in_circles(
    site: Site,
) -> None:
    await site.add_account("lin@exam.example", Role.REGISTRAR)
    await site.pools["enrollment"].execute("DELETE FROM session_keys")
    await site.reload_sessions()
    await site.sign_in("lin@exam.example")
    answer = await site.client.get("/enrollment/staff/")
    assert (answer.status, answer.url.path) == (503, "/identity/renewal")
    assert "Retry-After" in answer.headers


async def test_nobody_has_an_address_too_long_for_the_count_of_tries(site: Site) -> None:
    answer = await site.client.post(
        "/identity/sign-in",
        data={"email": secrets.token_hex(3_000), "password": PASSWORD},
        headers=FROM_OUR_PAGE,
    )
    assert answer.status == 422


async def test_a_door_and_the_renewal_that_it_leads_to_read_the_same_cookie(site: Site) -> None:
    await site.add_account("lin@exam.example", Role.REGISTRAR)
    token = await sign_in_earlier(site, "lin@exam.example", before=auth.RENEW_AFTER)
    answer = await site.client.get(
        "/identity/renewal?next=/enrollment/staff/",
        headers={"Cookie": f"session=somebody; session={token}"},
        allow_redirects=False,
    )
    # A fresh token would help nobody whose door reads the other one: they would go round for ever.
    assert answer.headers["Location"] == "/identity/sign-in?next=/enrollment/staff/"


async def test_a_session_ends_for_good_when_its_time_is_over(site: Site) -> None:
    await site.add_account("chen@exam.example")
    await site.sign_in("chen@exam.example")
    pool = site.pools["identity"]
    session_id = await pool.fetchval("SELECT id FROM sessions")
    now = datetime.now(UTC)
    async with transaction(pool) as tx:
        assert await sessions.find_live(tx, session_id=session_id, now=now)
        later = now + sessions.CANDIDATE_SESSION_LASTS
        assert await sessions.find_live(tx, session_id=session_id, now=later) is None


async def test_signing_in_and_out_leave_audit_lines(site: Site) -> None:
    await site.add_account("lin@exam.example", Role.REGISTRAR)
    await site.sign_in("lin@exam.example")
    await sign_out(site)
    rows = await site.pools["identity"].fetch("SELECT act FROM audit_lines ORDER BY id")
    assert [row["act"] for row in rows] == [
        "account_opened",
        "second_factor_set_up",
        "signed_in",
        "signed_out",
    ]


async def test_the_keys_are_published_as_a_key_set(site: Site) -> None:
    document = await (await site.client.get("/identity/api/keys")).json()
    [key] = document["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert "d" not in key, "the private half stays"
