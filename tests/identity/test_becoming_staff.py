"""Becoming staff: with the second factor only, whatever session somebody had before."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.auth import Role
from tests.conftest import MakeDatabase
from tests.identity.test_pages import sign_in_earlier, status
from tests.identity.test_staff import account_id
from tests.site import PASSWORD, Site, open_site

ADMINISTRATOR = "admin@exam.example"
CANDIDATE = "chen@exam.example"
BACK_TO_SIGNING_IN = "/identity/sign-in?next=/enrollment/staff/"


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment") as site:
        await site.add_account(ADMINISTRATOR, Role.ADMINISTRATOR)
        yield site


async def renew(site: Site, token: str) -> str:
    """Ask for a fresh token in place of this one; return where that leads."""
    site.client.session.cookie_jar.clear()
    answer = await site.client.get(
        "/identity/renewal?next=/enrollment/staff/",
        cookies={"session": token},
        allow_redirects=False,
    )
    return answer.headers["Location"]


@pytest.mark.parametrize("by", ["invitation", "their page"])
async def test_a_candidates_session_is_over_when_they_become_staff(site: Site, by: str) -> None:
    """It was begun with a password alone, and may be in somebody else's hands."""
    await site.add_account(CANDIDATE)
    before = await sign_in_earlier(site, CANDIDATE, before=timedelta(minutes=1))
    assert await renew(site, before) == "/enrollment/staff/"
    await site.sign_in(ADMINISTRATOR)
    if by == "invitation":
        await site.post(
            "/identity/staff/people/new", person="陳", email=CANDIDATE, roles=["registrar"]
        )
    else:
        person = f"/identity/staff/people/{await account_id(site, CANDIDATE)}"
        await site.post(f"{person}/roles", roles=["registrar"])
    assert await renew(site, before) == BACK_TO_SIGNING_IN
    live = await site.pools["identity"].fetchval(
        "SELECT count(*) FROM sessions WHERE account_id = $1 AND ended_at IS NULL",
        await account_id(site, CANDIDATE),
    )
    assert live == 0


async def become_staff_meanwhile(site: Site, email: str) -> None:
    """Be given a role by somebody who cannot see yet that a session is being begun."""
    await site.pools["identity"].execute(
        "UPDATE accounts SET roles = '{registrar}' WHERE email_key = $1", email
    )


async def test_who_becomes_staff_while_they_sign_in_has_to_prove_the_second_factor(
    site: Site,
) -> None:
    await site.add_account(CANDIDATE)
    begun = await sign_in_earlier(site, CANDIDATE, before=timedelta(minutes=1))
    await become_staff_meanwhile(site, CANDIDATE)
    assert await renew(site, begun) == BACK_TO_SIGNING_IN


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/identity/account/sign-out-everywhere", {}),
        (
            "/identity/account/password",
            {"present": PASSWORD, "password": "a new one 77", "password_again": "a new one 77"},
        ),
    ],
)
async def test_a_candidates_session_is_not_changed_for_one_of_staff(
    site: Site, path: str, form: dict[str, str]
) -> None:
    await site.add_account(CANDIDATE)
    await site.sign_in(CANDIDATE)
    await become_staff_meanwhile(site, CANDIDATE)
    assert (await site.post(path, **form)).status == 401
    assert await status(site, "/enrollment/staff/") == 403


async def test_a_session_of_staff_is_renewed(site: Site) -> None:
    begun = await sign_in_earlier(site, ADMINISTRATOR, before=timedelta(minutes=1))
    assert await renew(site, begun) == "/enrollment/staff/"
