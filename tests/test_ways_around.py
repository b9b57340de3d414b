"""Links lead nobody to a door that is closed to them, and everybody to each that is open."""

import re
from collections.abc import AsyncIterator

import pytest

from shared.auth import Role
from tests.access import read_decisions
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
ANY_LINK = re.compile(r'href="(/[^"?#]*)')
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


async def walk(site: Site, cookie: dict[str, str], start: str, *, within: str) -> dict[str, int]:
    """Follow every link to the pages whose address holds a word; tell what each answered."""
    found, ahead = dict[str, int](), [start]
    while ahead:
        page = ahead.pop()
        if page not in found:
            answer = await site.client.get(page, headers=cookie)
            found[page] = answer.status
            if answer.content_type == "text/html":
                ahead += [way for way in ANY_LINK.findall(await answer.text()) if within in way]
    return found


@pytest.mark.parametrize("role", Role)
async def test_staff_find_all_that_they_may_do(site: Site, role: Role) -> None:
    _, cookie = await site.begin_session(role)
    found = await walk(site, cookie, BEGINS[role], within="/staff/")
    theirs = {
        route.removeprefix("GET ")
        for route, who in read_decisions().items()
        if route.startswith("GET ") and "/staff/" in route and "{" not in route and role in who
    }
    if role == Role.ADMINISTRATOR:
        theirs.remove(BEGINS[Role.CENTRE])  # has no centre, and comes to each from the list of all
    assert theirs - found.keys() == set(), "no link leads there"


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


@pytest.mark.parametrize("is_signed_in", [False, True], ids=["a visitor", "a candidate"])
async def test_no_link_leads_the_public_to_a_closed_door(site: Site, *, is_signed_in: bool) -> None:
    cookie = (await site.begin_session())[1] if is_signed_in else {}
    found = await walk(site, cookie, "/", within="/")
    assert {page: status for page, status in found.items() if status != 200} == {}
    assert len(found) > 10


async def test_whoever_came_to_somebody_elses_page_is_not_told_to_check_what_they_typed(
    site: Site,
) -> None:
    _, cookie = await site.begin_session(Role.REGISTRAR)
    answer = await site.client.get("/payments/staff/", headers={**cookie, "Accept-Language": "en"})
    page = await answer.text()
    assert answer.status == 403
    assert "sign out and sign in with that one" in page
    assert "check what you entered" not in page
