"""Signing in with Google: what is not believed, and what attackers cannot make of it."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest
from structlog.testing import capture_logs

from deploy.sandbox.issuer_keys import Fault
from services.identity import accounts, inquiries, links
from services.identity.inquiries import Inquiry
from services.identity.links import Link, Purpose
from services.identity.pages.google import ATTEMPT
from services.identity.passwords import HASHER
from shared.db import transaction
from tests.conftest import MakeDatabase
from tests.google import (
    EMAIL,
    LINK,
    acts,
    come_back,
    count,
    open_google_site,
    prove,
    set_out,
    sign_in,
)
from tests.issuer import Running
from tests.site import FROM_OUR_PAGE, PASSWORD, Site


@pytest.fixture
async def site(make_database: MakeDatabase, google: Running) -> AsyncIterator[Site]:
    async with open_google_site(make_database, google) as site:
        yield site


async def test_a_callback_with_another_state_proves_nothing(site: Site, google: Running) -> None:
    back = await google.be(await set_out(site), EMAIL)
    for state in ("", "another", "統"):
        assert (await come_back(site, back.update_query(state=state))).status == 403
    assert (await come_back(site, back.without_query_params("state"))).status == 403
    assert await count(site) == (0, 0, 0)


async def test_a_callback_in_another_browser_proves_nothing(site: Site, google: Running) -> None:
    back = await google.be(await set_out(site), EMAIL)
    site.client.session.cookie_jar.clear()
    assert (await come_back(site, back)).status == 403
    site.client.session.cookie_jar.update_cookies({ATTEMPT: "made up"})
    assert (await come_back(site, back)).status == 403
    assert await count(site) == (0, 0, 0)


async def test_a_callback_works_once(site: Site, google: Running) -> None:
    address = await set_out(site)
    kept: SimpleCookie = SimpleCookie({c.key: c.value for c in site.client.session.cookie_jar})
    back = await google.be(address, EMAIL)
    assert (await come_back(site, back)).status == 303
    assert (await come_back(site, back)).status == 403, "the browser has forgotten the attempt"
    site.client.session.cookie_jar.update_cookies(kept)
    assert (await come_back(site, back)).status == 403, "the issuer has forgotten the code"
    assert await count(site) == (1, 1, 1)


async def test_a_code_of_somebody_elses_attempt_proves_nothing(site: Site, google: Running) -> None:
    """Codes are bound to whoever set out: neither stolen nor planted ones work."""
    stolen = await google.be(await set_out(site), EMAIL)
    ours = await google.be(await set_out(site), EMAIL)
    mixed = ours.update_query(code=stolen.query["code"])
    assert (await come_back(site, mixed)).status == 403
    assert await count(site) == (0, 0, 0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.WRONG_NONCE, "nonce"),
        (Fault.WRONG_AUDIENCE, "InvalidAudienceError"),
        (Fault.OTHER_PARTY, "given to another client"),
        (Fault.OTHER_ISSUER_IN_TOKEN, "InvalidIssuerError"),
        (Fault.EXPIRED, "ExpiredSignatureError"),
        (Fault.NO_SUBJECT, "no subject"),
        (Fault.WRONG_SIGNATURE, "InvalidSignatureError"),
        (Fault.UNKNOWN_KEY, "signed with an unknown key"),
        (Fault.OTHER_KIND_OF_KEY, "InvalidAlgorithmError"),
        (Fault.UNSIGNED, "InvalidAlgorithmError"),
        (Fault.SIGNED_WITH_PUBLIC_KEY, "InvalidAlgorithmError"),
    ],
)
async def test_a_token_that_proves_nothing_is_not_believed(
    site: Site, google: Running, fault: Fault, reason: str
) -> None:
    google.issuer.fault = fault
    with capture_logs() as logs:
        answer = await sign_in(site, google)
    assert answer.status == 403
    assert "Google 未能" in await answer.text()
    assert await count(site) == (0, 0, 0)
    assert [line["reason"] for line in logs if line["event"] == "sign-in not proved"] == [reason]
    assert "exam.example" not in repr(logs)


@pytest.mark.parametrize("fault", [Fault.NO_EMAIL, Fault.NULL_EMAIL, Fault.STRANGE_EMAIL])
async def test_somebody_without_a_usable_address_gets_no_account(
    site: Site, google: Running, fault: Fault
) -> None:
    google.issuer.fault = fault
    assert (await sign_in(site, google)).status == 403
    assert await count(site) == (0, 0, 0)


async def test_an_address_the_issuer_has_not_verified_opens_nothing(
    site: Site, google: Running
) -> None:
    await site.add_account("wu@exam.example")
    for email in (EMAIL, "nobody@exam.example"):
        back = await google.be(await set_out(site), email, verified="no")
        answer = await come_back(site, back)
        assert (answer.status, "驗證" in await answer.text()) == (403, True)
    assert await count(site) == (1, 0, 0)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "/enrollment/?" + "x" * 4000,
    ],
)
async def test_after_google_only_our_own_pages_are_reached(
    site: Site, google: Running, wanted: str
) -> None:
    assert (await sign_in(site, google, next=wanted)).headers["Location"] == "/identity/"
    await site.add_account("lin@exam.example")
    answer = await sign_in(site, google, "lin@exam.example", next=wanted)
    assert answer.headers["Location"] == LINK
    assert (await prove(site, PASSWORD)).headers["Location"] == "/identity/"


async def set_new_password(site: Site, password: str) -> None:
    """Follow the link of the letter about a forgotten password."""
    async with transaction(site.pools["identity"]) as tx:
        account = await accounts.find_by_email(tx, email=EMAIL)
        assert account
        now = await tx.fetchval("SELECT now()")
        details = {"account_id": str(account.id)}
        link = Link(Purpose.PASSWORD, account.subject, details, now + links.LASTS)
        token = await links.issue(tx, link, now=now)
    answer = await site.client.post(
        f"/identity/letters/password/{token}",
        data={"password": password, "password_again": password},
        headers=FROM_OUR_PAGE,
        allow_redirects=False,
    )
    assert answer.status == 303


async def test_who_takes_an_account_back_by_letter_shuts_out_whoever_had_linked_it(
    site: Site, google: Running
) -> None:
    """Somebody may have opened it, linked themselves, and then moved it to the owner's address."""
    await sign_in(site, google, "stranger@exam.example")
    await site.pools["identity"].execute(
        "UPDATE accounts SET email = $1, email_key = lower($1)", EMAIL
    )
    site.client.session.cookie_jar.clear()
    await set_new_password(site, "a new password 7")
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM linked_identities") == 0
    assert "identity_unlinked" in await acts(site)
    site.client.session.cookie_jar.clear()
    await sign_in(site, google, "stranger@exam.example")
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM accounts") == 2


async def test_a_sign_up_with_somebody_elses_address_does_not_wait_for_them(
    site: Site, google: Running
) -> None:
    """Who has only typed the address has no account, and gets none once its owner has one."""
    async with transaction(site.pools["identity"]) as tx:
        now = await tx.fetchval("SELECT now()")
        hashed = HASHER.hash(PASSWORD)
        details = {"email": EMAIL, "person": "x", "language": "en", "password_hash": hashed}
        link = Link(Purpose.CONFIRMATION, EMAIL.lower(), details, now + links.LASTS)
        token = await links.issue(tx, link, now=now)
    assert (await sign_in(site, google)).headers["Location"] == "/identity/"
    answer = await site.post(f"/identity/letters/confirmation/{token}", password=PASSWORD)
    assert answer.status == 409
    kept = await site.pools["identity"].fetch("SELECT password_hash FROM accounts")
    assert [row["password_hash"] for row in kept] == [None]


@pytest.mark.parametrize("purpose", ["reset_password", "sign_up"])
async def test_a_letter_goes_to_the_address_we_know_not_to_one_that_compares_alike(
    site: Site, purpose: str
) -> None:
    """Capitals do not matter, and then "ß" is "ss": but the two can be two people's domains."""
    await site.add_account("wu@strasse.example")
    typed = Inquiry(purpose, "wu@straße.example", "x", "en", "theirs")
    async with transaction(site.pools["identity"]) as tx:
        now = await tx.fetchval("SELECT now()")
        await inquiries.ask(tx, typed, now=now)
        await inquiries.answer(tx, site="http://127.0.0.1", now=now)
        events = await tx.fetch("SELECT * FROM outbox")
    assert "straße" not in repr(events)
    assert "\\u00df" not in repr(events)
