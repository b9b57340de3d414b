"""The access matrix: every route, asked as everybody, against what was decided."""

from collections.abc import AsyncIterator, Iterable
from uuid import UUID

import pytest

from deploy.all_in_one import ENTRIES
from deploy.documents.parts import NEVER_USED
from shared.web import build
from tests import access
from tests.access import Route, find_forgeable, find_undecided, find_wrong_doors
from tests.conftest import MakeDatabase
from tests.site import Site, open_site

pytestmark = pytest.mark.variant

SERVICES = [entry.name for entry in ENTRIES]
DECISIONS = access.read_decisions()


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, *SERVICES) as site:
        yield site


@pytest.fixture(scope="module")
def routes() -> list[Route]:
    """The routes of all services, each served alone: one may not hide behind another."""
    found: dict[Route, None] = {}
    for entry in ENTRIES:
        app = build([entry.create_app(entry.settings.model_validate(NEVER_USED))])
        found |= dict.fromkeys(access.list_routes(app))
    return list(found)


def demand_none(found: Iterable[str]) -> None:
    if lines := [*found]:
        pytest.fail("\n".join(["tests/access.toml says otherwise:", *lines]), pytrace=False)


def test_every_route_has_a_decision(routes: list[Route]) -> None:
    demand_none(find_undecided(routes, DECISIONS))


async def test_every_door_lets_in_whom_it_should_and_nobody_else(
    site: Site, routes: list[Route]
) -> None:
    demand_none(await find_wrong_doors(site, routes, DECISIONS))


async def test_no_form_of_another_site_is_accepted(site: Site, routes: list[Route]) -> None:
    demand_none(await find_forgeable(site, routes, DECISIONS))


async def test_the_site_has_no_other_routes(site: Site, routes: list[Route]) -> None:
    assert set(access.list_routes(site.client.app)) == set(routes)


# And each check, seen to fail on what it is there for.

HOME, FIRST = Route("GET", "/"), Route("GET", "/identity/")
STAFF, SIGN_IN = Route("GET", "/payments/staff/"), Route("POST", "/identity/sign-in")


def test_a_route_without_a_decision_is_noticed() -> None:
    [found] = find_undecided([HOME, FIRST], {HOME.key: ["everyone"]})
    assert found == "GET /identity/: nobody decided who gets in"


def test_a_decision_that_makes_no_sense_is_noticed() -> None:
    decisions = {HOME.key: ["everybody"], FIRST.key: ["owner"], "GET /gone": ["staff"]}
    found = [*find_undecided([HOME, FIRST], decisions)]
    assert len(found) == 3


async def test_a_door_that_is_too_open_or_too_closed_is_noticed(site: Site) -> None:
    decisions = {FIRST.key: ["signed in"], STAFF.key: ["finance", "registrar", "administrator"]}
    assert await find_wrong_doors(site, [FIRST, STAFF], decisions) == [
        "GET /identity/: nobody got in (200)",
        "GET /payments/staff/: registrar did not get in (403)",
    ]


async def test_what_another_candidate_can_see_is_noticed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def give(site: Site, owner: UUID) -> dict[str, str]:
        return {}

    monkeypatch.setattr(access, "find_giver", lambda path: give)
    found = await find_wrong_doors(site, [FIRST], {FIRST.key: ["owner"]})
    assert "GET /identity/: other candidate got in (200)" in found
    assert "GET /identity/: candidate got in (200)" not in found


async def test_a_door_that_takes_forms_of_other_sites_is_noticed(site: Site) -> None:
    assert len(await find_forgeable(site, [SIGN_IN], {SIGN_IN.key: ["machines"]})) == 3


def test_an_address_is_filled_in() -> None:
    path = "/x/{thing_id}/y/{number:[0-9]+}"
    nobodys = "/x/00000000-0000-0000-0000-000000000000/y/7"
    assert access.fill_in(path, {"number": "7"}) == nobodys
