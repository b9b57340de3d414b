"""The links at the top of every page lead nobody to a door that is closed to them."""

import re
from collections.abc import AsyncIterator

import pytest

from shared.auth import Role
from tests.conftest import MakeDatabase
from tests.site import Site, open_site
from tests.test_access import SERVICES

# Where the work of each role begins.
BEGINS = {
    Role.REGISTRAR: "/enrollment/staff/",
    Role.FINANCE: "/payments/staff/",
    Role.EXAMINER: "/scoring/staff/",
    Role.RELEASER: "/scoring/staff/",
    Role.CENTRE: "/enrollment/staff/centre/",
    Role.ADMINISTRATOR: "/identity/staff/",
}
LINK = re.compile(r'class="eh-nav__link" href="([^"]+)"')


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, *SERVICES) as site:
        yield site


@pytest.mark.parametrize("roles", [*((role,) for role in Role), (Role.CENTRE, Role.FINANCE)])
async def test_staff_are_led_only_where_they_may_go(site: Site, roles: tuple[Role, ...]) -> None:
    _, cookie = await site.begin_session(*roles)
    for page in (*(BEGINS[role] for role in roles), "/identity/"):
        shown = await site.client.get(page, headers=cookie)
        assert shown.status == 200
        ways = LINK.findall(await shown.text())
        assert len(ways) >= len(roles)
        for way in ways:
            assert (await site.client.get(way, headers=cookie)).status == 200, way


async def test_whoever_is_signed_in_as_nobody_special_is_led_to_all_public_pages(
    site: Site,
) -> None:
    for cookie in ({}, (await site.begin_session())[1]):
        shown = await site.client.get("/", headers=cookie)
        assert LINK.findall(await shown.text()) == [
            "/",
            "/enrollment/",
            "/payments/",
            "/scoring/",
            "/identity/",
        ]


async def test_whoever_came_to_somebody_elses_page_is_not_told_to_check_what_they_typed(
    site: Site,
) -> None:
    _, cookie = await site.begin_session(Role.REGISTRAR)
    answer = await site.client.get("/payments/staff/", headers={**cookie, "Accept-Language": "en"})
    page = await answer.text()
    assert answer.status == 403
    assert "sign out and sign in with that one" in page
    assert "check what you entered" not in page
