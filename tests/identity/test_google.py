"""Signing in with Google: who gets in, and who has to prove more."""

from collections.abc import AsyncIterator

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from deploy.documents.parts import NEVER_USED
from services.identity.settings import Settings
from shared.auth import Role
from tests.conftest import MakeDatabase
from tests.google import (
    EMAIL,
    LINK,
    SECOND_FACTOR,
    acts,
    come_back,
    count,
    go,
    is_signed_in,
    open_google_site,
    prove,
    set_out,
    sign_in,
)
from tests.identity.test_pages import status
from tests.issuer import SETTINGS, Running
from tests.site import FROM_OUR_PAGE, PASSWORD, Site, open_site


@pytest.fixture
async def site(make_database: MakeDatabase, google: Running) -> AsyncIterator[Site]:
    async with open_google_site(make_database, google) as site:
        yield site


async def test_somebody_new_gets_an_account_and_is_in(site: Site, google: Running) -> None:
    answer = await sign_in(site, google, next="/enrollment/")
    assert (answer.status, answer.headers["Location"]) == (303, "/enrollment/")
    assert await is_signed_in(site)
    assert await status(site, "/identity/staff/") == 403
    assert await count(site) == (1, 1, 1)
    row = await site.pools["identity"].fetchrow("SELECT * FROM accounts")
    assert row
    assert (row["email"], row["person"], row["roles"]) == (EMAIL, "吳美玲", [])
    assert row["password_hash"] is None
    assert await acts(site) == ["account_opened", "identity_linked", "signed_in"]


async def test_the_second_time_the_link_is_enough(site: Site, google: Running) -> None:
    await sign_in(site, google)
    site.client.session.cookie_jar.clear()
    # Whatever the account's address is by now.
    await site.pools["identity"].execute("UPDATE accounts SET email = 'x', email_key = 'x'")
    answer = await sign_in(site, google)
    assert answer.headers["Location"] == "/identity/"
    assert await count(site) == (1, 1, 2)


async def test_a_known_address_is_linked_only_after_its_password(
    site: Site, google: Running
) -> None:
    await site.add_account("wu@exam.example")
    answer = await sign_in(site, google, next="/enrollment/")
    assert answer.headers["Location"] == LINK
    assert not await is_signed_in(site)
    assert EMAIL in await (await go(site, LINK)).text()
    wrong = await prove(site, "not the password")
    page = await wrong.text()
    assert (wrong.status, "not the password" in page) == (422, False)
    assert page.count("這不是這個帳號的密碼") == 2, "in the summary and at the field"
    assert await count(site) == (1, 0, 0)
    right = await prove(site, PASSWORD)
    assert (right.status, right.headers["Location"]) == (303, "/enrollment/")
    assert await is_signed_in(site)
    assert await count(site) == (1, 1, 1)
    assert (await go(site, LINK)).headers["Location"] == "/identity/sign-in", "used up"
    site.client.session.cookie_jar.clear()
    assert (await sign_in(site, google)).headers["Location"] == "/identity/"


async def test_guessing_the_password_at_the_link_page_locks_as_elsewhere(
    site: Site, google: Running
) -> None:
    await site.add_account("wu@exam.example")
    await sign_in(site, google)
    for _ in range(4):
        await prove(site, "not the password")
    assert (await prove(site, PASSWORD)).status == 422
    assert await count(site) == (1, 0, 0)


async def test_staff_still_need_the_second_factor(site: Site, google: Running) -> None:
    await site.add_account("wu@exam.example", Role.REGISTRAR)
    await sign_in(site, google)
    assert (await prove(site, PASSWORD)).headers["Location"] == SECOND_FACTOR
    assert not await is_signed_in(site)
    site.client.session.cookie_jar.clear()
    assert (await sign_in(site, google)).headers["Location"] == SECOND_FACTOR
    assert not await is_signed_in(site)
    assert await count(site) == (1, 1, 0)


async def test_an_account_opened_with_google_has_no_password_to_guess(
    site: Site, google: Running
) -> None:
    await sign_in(site, google)
    for password in ("", "nobody's password"):
        assert await site.sign_in(EMAIL, password) == 422


async def test_somebody_who_refuses_at_the_issuer_is_told_what_they_can_do(
    site: Site, google: Running
) -> None:
    with capture_logs() as logs:
        answer = await come_back(site, await google.choose(await set_out(site), "refuse"))
    assert (answer.status, "access_denied" in repr(logs)) == (403, True)
    back = await google.choose(await set_out(site), "refuse")
    with capture_logs() as logs:
        await come_back(site, back.update_query(error="wu@exam.example\nforged line"))
    assert "exam.example" not in repr(logs)
    assert await count(site) == (0, 0, 0)


async def test_what_is_remembered_fits_into_a_cookie(site: Site, google: Running) -> None:
    """Browsers drop a cookie of more than 4,096 bytes without a word."""
    longest = "/" + "頁" * 333
    email = f"{'w' * 64}@{'x' * 60}.{'y' * 60}.example"
    await site.add_account(email, Role.REGISTRAR)
    address = await set_out(site, next=longest)
    await come_back(site, await google.be(address, email, name="字" * 190))
    sizes = [len(cookie.OutputString()) for cookie in site.client.session.cookie_jar]
    assert (await prove(site, PASSWORD)).headers["Location"] == SECOND_FACTOR
    sizes += [len(cookie.OutputString()) for cookie in site.client.session.cookie_jar]
    assert 2_000 < max(sizes) < 4_096


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
async def test_somebody_without_a_usable_name_is_called_after_their_address(
    site: Site, google: Running, name: str
) -> None:
    google.issuer.grant, grant = (  # type: ignore[method-assign]
        lambda asked, person: grant(asked, type(person)(person.email, name, is_verified=True)),
        google.issuer.grant,
    )
    await sign_in(site, google)
    assert await site.pools["identity"].fetchval("SELECT person FROM accounts") == "Wu"


async def test_without_an_issuer_there_is_no_button_and_no_page(
    make_database: MakeDatabase,
) -> None:
    async with open_site(make_database, "identity") as site:
        assert "/identity/google" not in await (await go(site, "/identity/sign-in")).text()
        for path in ("/identity/google", "/identity/google/callback?state=x&code=y"):
            assert await status(site, path) in {403, 404}
        assert await status(site, "/identity/google") == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"oidc_client_id": ""},
        {"oidc_client_secret": ""},
        {"EXAMHALL_PUBLIC_URL": "https://exam.example"},  # and the issuer without TLS
    ],
)
def test_an_issuer_that_is_half_configured_is_noticed_at_the_start(
    changed: dict[str, str],
) -> None:
    settings = {**NEVER_USED, "EXAMHALL_PUBLIC_URL": "http://localhost"}
    whole = {**settings, **SETTINGS, "oidc_issuer": "http://localhost:8090/oidc"}
    assert Settings.model_validate(whole)
    with pytest.raises(ValidationError, match="1 validation error"):
        Settings.model_validate({**whole, **changed})


async def test_with_an_issuer_there_is_a_button(site: Site) -> None:
    assert "/identity/google" in await (await go(site, "/identity/sign-in")).text()


async def test_the_link_of_a_closed_account_signs_nobody_in(site: Site, google: Running) -> None:
    await site.add_account("wu@exam.example")
    await sign_in(site, google)
    await prove(site, PASSWORD)
    first = await site.pools["identity"].fetchval("SELECT id FROM accounts")
    answer = await site.client.post(
        "/identity/account/closing",
        data={"present": PASSWORD},
        headers=FROM_OUR_PAGE,
        allow_redirects=False,
    )
    assert answer.status == 303
    assert await count(site) == (1, 0, 1)
    await sign_in(site, google)
    rows = await site.pools["identity"].fetch(
        "SELECT account_id FROM linked_identities WHERE account_id <> $1", first
    )
    assert len(rows) == 1, "they begin anew, with an account of their own"
