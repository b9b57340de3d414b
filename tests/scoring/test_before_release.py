"""Before the release: every route of scoring, asked by everybody, shows no result to anybody but
examiners and releasers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiohttp import hdrs

from services.scoring import corrections, results, statements
from services.scoring.corrections import Basis
from shared.auth import Role
from shared.db import Pool, transaction
from tests import access
from tests.conftest import MakeDatabase
from tests.scoring.world import (
    BASIC,
    EXAMINER,
    NOW,
    account_of,
    approve,
    compute,
    enter,
    entered,
    entry_id,
    hear,
    id_number,
    import_,
    look_at,
    opened,
    order,
    scored,
    table,
)
from tests.site import FROM_OUR_PAGE, open_site

# Points that stand in no title and no address.
POINTS = ("25.5", "40.25", "12.125")
TOTAL = "77.875"
SECRETS = (TOTAL, *POINTS)
MAY_SEE = {Role.EXAMINER, Role.RELEASER}


async def bring_to(pool: Pool, state: str) -> dict[str, str]:
    """Bring a sitting so far; return what its addresses are filled in with."""
    await enter(pool, 2)
    rows = table(scored(0, POINTS), scored(1, POINTS))
    file_id = await look_at(pool, rows)
    await import_(pool, rows)
    parameters = {
        "sitting": BASIC,
        "entry_id": str(entry_id(0)),
        "file_id": str(file_id),
        "id_number": id_number(0),
        "format": "csv",
    }
    if state == "computed":
        await compute(pool)
        return parameters
    parameters["digest_id"] = str(await approve(pool))
    async with transaction(pool) as tx:
        result = await results.find_current(tx, entry_id=entry_id(0))
        correction_id = await corrections.propose(
            tx,
            entry_id=entry_id(0),
            basis=Basis(None, []),
            reason="absent",
            actor=EXAMINER,
            now=NOW,
        )
    assert result
    parameters |= {"result_id": str(result.id), "correction_id": str(correction_id)}
    if state == "release set":
        await order(pool, datetime.now(UTC) + timedelta(minutes=1))
    return parameters


@pytest.mark.parametrize("state", ["computed", "approved", "release set"])
async def test_no_route_shows_a_result_to_anybody_else(
    make_database: MakeDatabase, state: str
) -> None:
    async with open_site(make_database, "identity", "scoring") as site:
        pool = site.pools["scoring"]
        parameters = await bring_to(pool, state)
        holder, cookie = await site.begin_session()
        await hear(pool, entered(0, account_id=holder))
        await hear(pool, opened(0, NOW).model_copy(update={"account_id": holder}))
        people: dict[str, dict[str, str]] = {"nobody": {}, "holder": cookie}
        people |= {role: (await site.begin_session(role))[1] for role in Role}
        routes = [r for r in access.list_routes(site.client.app) if "/scoring/" in r.path]
        assert len(routes) > 20
        seen_by = set()
        for route in routes:
            for person, shown in people.items():
                if person in MAY_SEE and not route.is_safe:
                    continue  # what they do is what they may
                site.client.session.cookie_jar.clear()
                answer = await site.client.request(
                    route.method,
                    access.fill_in(route.path, parameters),
                    data=None if route.is_safe else parameters,
                    headers={**FROM_OUR_PAGE, **shown, hdrs.ACCEPT_LANGUAGE: "en"},
                    allow_redirects=False,
                )
                text = await answer.text(errors="replace")
                assert answer.status < 500, route
                if any(secret in text for secret in SECRETS):
                    seen_by.add(person)
        # That these two do see something is how we know that the question makes sense.
        assert seen_by == MAY_SEE


async def test_nothing_leaves_the_service_before_the_instant(pool: Pool) -> None:
    """What other services are told says nothing either."""
    await bring_to(pool, "release set")
    rows = await pool.fetch("SELECT body FROM outbox")
    assert not any(secret in row["body"] for row in rows for secret in SECRETS)
    lines = await pool.fetch("SELECT act, subject, details::text AS details FROM audit_lines")
    assert lines
    assert not any(
        secret in f"{line['subject']} {line['details']}" for line in lines for secret in SECRETS
    )


async def test_a_holder_finds_nothing_before_the_instant(pool: Pool) -> None:
    parameters = await bring_to(pool, "release set")
    async with transaction(pool) as tx:
        assert await statements.list_(tx, account_id=account_of(0)) == []
        assert await statements.list_versions(tx, entry_id=entry_id(0)) == []
        with pytest.raises(statements.NoSuchResult):
            await statements.load(
                tx, result_id=UUID(parameters["result_id"]), account_id=account_of(0)
            )
