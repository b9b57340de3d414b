"""Calls that are repeated: the same answer, and nothing happens twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.enrollment.api import claims as api_claims
from services.enrollment.api.calls import REPEATED
from services.enrollment.limits import REFUSED_NUMBERS
from shared.events.enrollment import PlaceClaimed
from shared.group_commit import at_once
from tests.conftest import MakeDatabase
from tests.enrollment.candidates import AREA, MULTI, NATIONAL
from tests.enrollment.programs import (
    ANSWERS,
    API,
    Program,
    count,
    count_published,
    open_for_programs,
    refusal,
)
from tests.site import Site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_for_programs(make_database) as site:
        yield site


@pytest.fixture
async def program(site: Site) -> Program:
    return await Program.arrive(site)


async def test_a_repeated_claim_is_one_claim(site: Site, program: Program) -> None:
    wish, key = {"sitting": MULTI, "area": AREA}, uuid4().hex
    first = await program.call("POST", "/registrations", wish, key=key)
    again = await program.call("POST", "/registrations", wish, key=key)
    assert await first.read() == await again.read()
    assert json.loads(await again.read())["is_new"] is True
    assert (REPEATED in first.headers, again.headers[REPEATED]) == (False, "true")
    anew = await program.read("POST", "/registrations", wish)
    assert anew["is_new"] is False
    assert await count(site, "registrations") == 1
    assert await count_published(site, PlaceClaimed.name) == 1


async def test_many_claims_at_once_with_one_key_are_one_claim(site: Site, program: Program) -> None:
    wish, key = {"sitting": MULTI, "area": AREA}, uuid4().hex
    answers = await asyncio.gather(
        *(program.call("POST", "/registrations", wish, key=key) for _ in range(20))
    )
    bodies = {await answer.read() for answer in answers}
    assert (len(bodies), {answer.status for answer in answers}) == (1, {200})
    assert await count(site, "registrations") == 1


async def test_claims_at_once_with_one_key_and_different_wishes_are_told_apart(
    site: Site, program: Program
) -> None:
    key = uuid4().hex
    wishes = [{"sitting": code, "area": AREA} for code in (MULTI, NATIONAL)]
    answers = await asyncio.gather(
        *(program.call("POST", "/registrations", wish, key=key) for wish in wishes)
    )
    assert sorted(answer.status for answer in answers) == [200, 422]
    assert await count(site, "registrations") == 1


async def test_a_key_is_kept_apart_for_each_token(site: Site, program: Program) -> None:
    other, key = await Program.arrive(site), uuid4().hex
    assert await program.claim(key=key) != await other.claim(key=key)


async def test_a_key_that_came_with_something_else_is_refused(site: Site, program: Program) -> None:
    key = uuid4().hex
    registration = await program.claim(key=key)
    for method, path, body in (
        ("POST", "/registrations", {"sitting": NATIONAL, "area": AREA}),
        ("POST", f"{registration}/withdrawal", None),
    ):
        answer = await program.call(method, path, body, key=key)
        assert await refusal(answer) == (422, "KeyReused")
    assert (await program.read("GET", registration))["state"] == "drafting"


@pytest.mark.parametrize("key", ["", "é", "with space", "x" * 256])
async def test_nothing_is_changed_without_a_key(site: Site, program: Program, key: str) -> None:
    headers = {"Authorization": f"Bearer {program.token}", "Idempotency-Key": key}
    answer = await site.client.post(
        f"{API}/registrations", json={"sitting": MULTI, "area": AREA}, headers=headers
    )
    assert await refusal(answer) == (400, "NoIdempotencyKey")
    assert await count(site, "registrations") == 0


async def test_a_refusal_is_repeated_as_well(site: Site, program: Program) -> None:
    pool, key = site.pools["enrollment"], uuid4().hex
    await pool.execute("UPDATE places SET capacity = 0")
    wish = {"sitting": MULTI, "area": AREA}
    refused = await program.call("POST", "/registrations", wish, key=key)
    assert await refusal(refused) == (409, "SittingFull")
    await pool.execute("UPDATE places SET capacity = NULL")
    again = await program.call("POST", "/registrations", wish, key=key)
    assert await again.read() == await refused.read()
    assert again.content_type == "application/problem+json"
    assert (await program.read("POST", "/registrations", wish))["is_new"] is True


async def test_what_was_refused_half_way_leaves_nothing_but_the_refusal(
    site: Site, program: Program
) -> None:
    other, key = await Program.arrive(site), uuid4().hex
    for one in (program, other):
        registration = await one.claim()
        await one.agree(registration)
        answer = await one.call("PUT", f"{registration}/form", dict(ANSWERS), key=key)
    assert await refusal(answer) == (409, "PersonAlreadyThere")
    assert (await other.read("GET", registration))["form"] == {}
    again = await other.call("PUT", f"{registration}/form", dict(ANSWERS), key=key)
    assert await again.read() == await answer.read()


async def test_numbers_that_are_refused_are_counted_once_each_and_are_not_without_end(
    site: Site, program: Program
) -> None:
    other, key = await Program.arrive(site), uuid4().hex
    for one in (program, other):
        registration = await one.claim()
        await one.agree(registration)
        answer = await one.call("PUT", f"{registration}/form", dict(ANSWERS), key=key)
    for _ in range(2 * REFUSED_NUMBERS.most):
        again = await other.call("PUT", f"{registration}/form", dict(ANSWERS), key=key)
        assert await again.read() == await answer.read()
    for _ in range(REFUSED_NUMBERS.most - 1):
        answer = await other.call("PUT", f"{registration}/form", dict(ANSWERS))
        assert await refusal(answer) == (409, "PersonAlreadyThere")
    answer = await other.call("PUT", f"{registration}/form", dict(ANSWERS))
    assert await refusal(answer) == (429, "TooManyNumbers")
    assert int(answer.headers["Retry-After"]) > 0


async def test_who_came_too_early_may_come_again_with_the_same_key(
    site: Site, program: Program
) -> None:
    pool, key = site.pools["enrollment"], uuid4().hex
    wish = {"sitting": MULTI, "area": AREA}
    await pool.execute(
        "UPDATE sittings SET opens_at = now() + interval '1 hour' WHERE code = $1", MULTI
    )
    answer = await program.call("POST", "/registrations", wish, key=key)
    assert await refusal(answer) == (425, "NotYetOpen")
    await pool.execute(
        "UPDATE sittings SET opens_at = now() - interval '1 hour' WHERE code = $1", MULTI
    )
    answer = await program.call("POST", "/registrations", wish, key=key)
    assert answer.status == 200


async def test_the_crowd_of_programs_oversells_nothing(site: Site) -> None:
    await site.pools["enrollment"].execute("UPDATE places SET capacity = 7")
    programs = [await Program.arrive(site) for _ in range(20)]
    wish = {"sitting": MULTI, "area": AREA}
    answers = await asyncio.gather(
        *(program.call("POST", "/registrations", wish) for program in programs)
    )
    assert sorted(answer.status for answer in answers) == [200] * 7 + [409] * 13
    assert await count(site, "registrations") == 7


async def test_a_batch_is_settled_together(site: Site) -> None:
    programs = [await Program.arrive(site) for _ in range(12)]
    sizes: list[int] = []
    settle = api_claims.settle
    crowd = site.client.app._subapps[0][api_claims.KEYED_CROWD]

    async def measure(tx: Any, wishes: Any) -> Any:
        sizes.append(len(wishes))
        return await settle(tx, wishes)

    crowd._look = at_once(measure)
    await asyncio.gather(*(program.claim() for program in programs))
    assert sum(sizes) == 12
    assert len(sizes) < 12


async def test_an_upload_that_is_repeated_is_done_once(site: Site, program: Program) -> None:
    registration, key = await program.claim(), uuid4().hex
    await program.agree(registration)
    for _ in range(3):
        assert (await program.upload(registration, "photo", key=key)).status == 200
    assert await count(site, "documents") == 1
