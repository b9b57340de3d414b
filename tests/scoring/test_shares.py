"""A candidate shows a result with a link that runs out, can be taken back, and tells who looked."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.events.identity import AccountClosed, ResultsAccountOpened
from tests.conftest import MakeDatabase
from tests.scoring import papers, world
from tests.scoring.test_result_pages import Holder
from tests.site import FROM_OUR_PAGE, Site, open_site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "scoring") as site:
        yield site


@pytest.fixture
async def holder(site: Site) -> Holder:
    return await Holder.sign_in(site)


async def share(holder: Holder, home: str, **form: str) -> str:
    """Make a link, and return its path."""
    wanted = {"share_id": str(uuid4()), "label": "university", "days": "7"}
    status, page = await holder.post(f"{home}/shares", **(wanted | form))
    found = re.search(r"http://127\.0\.0\.1(/scoring/shared/[\w-]+)", page)
    assert found, status
    return found[1]


async def visit(site: Site, path: str, name: str | None = None) -> tuple[int, str]:
    """Open a link as a stranger would; with a name, say who one is."""
    headers = {**FROM_OUR_PAGE, "Accept-Language": "en"}
    if name is None:
        answer = await site.client.get(path, headers=headers, allow_redirects=False)
    else:
        answer = await site.client.post(
            path, data={"name": name}, headers=headers, allow_redirects=False
        )
    return answer.status, re.sub(r"\s+", " ", await answer.text())


async def test_whoever_has_the_link_says_who_they_are_and_the_candidate_sees_it(
    site: Site, holder: Holder
) -> None:
    statement = await papers.give(site, holder.account, "key")
    home = f"/scoring/results/{statement.result.id}"
    path = await share(holder, home)
    status, page = await visit(site, path)
    assert (status, "Pass with Merit" in page, "王大同" in page) == (200, False, False)
    page = await holder.read(f"{home}/shares")
    assert "Nobody has looked" in page
    assert "7 days" in page
    status, page = await visit(site, path, "")
    assert (status, "Pass with Merit" in page) == (422, False)
    status, page = await visit(site, path, "NTU admissions")
    assert (status, "Pass with Merit" in page, "王大同" in page) == (200, True, True)
    shown = await holder.read(f"{home}/shares")
    assert "NTU admissions" in shown
    assert "with the link “university”" in shown


async def test_a_link_runs_out_and_is_taken_back(site: Site, holder: Holder) -> None:
    statement = await papers.give(site, holder.account)
    home = f"/scoring/results/{statement.result.id}"
    first, second = await share(holder, home), await share(holder, home, label="employer")
    pool = site.pools["scoring"]
    await pool.execute(
        """
        UPDATE shares SET created_at = created_at - interval '8 days', expires_at = $1
         WHERE label = 'university'
        """,
        datetime.now(UTC),
    )
    assert (await visit(site, first))[0] == 404
    assert (await visit(site, first, "NTU"))[0] == 404
    share_id = await pool.fetchval("SELECT id FROM shares WHERE label = 'employer'")
    for _ in range(2):  # a second click finds it done
        assert (await holder.post(f"{home}/shares/{share_id}/revocation"))[0] == 303
    assert (await visit(site, second, "NTU"))[0] == 404
    assert await pool.fetchval("SELECT count(*) FROM looks") == 0
    page = await holder.read(f"{home}/shares")
    assert ("has run out" in page, "taken back" in page) == (True, True)


@pytest.mark.parametrize("is_made_first", [True, False])
async def test_the_links_of_a_closed_account_show_nothing_and_what_they_showed_stays_known(
    site: Site, holder: Holder, is_made_first: bool
) -> None:
    """Somebody had the candidate's letter first; a new secret number closes their account."""
    statement, pool = await papers.give(site, holder.account), site.pools["scoring"]
    home, now = f"/scoring/results/{statement.result.id}", datetime.now(UTC)
    rightful = await Holder.sign_in(site)
    closed = AccountClosed(
        account_id=holder.account, email="", person="", language="en", closed_at=now
    )
    if not is_made_first:  # word of a session that is over may come last
        await world.hear(pool, closed)
    path = await share(holder, home)
    if is_made_first:
        assert (await visit(site, path, "NTU"))[0] == 200
        await world.hear(pool, closed)
    for account in (holder.account, rightful.account):
        opened = ResultsAccountOpened(
            account_id=account,
            entry_id=statement.result.entry_id,
            id_number=statement.candidate.id_number,
            registered_at=now,
        )
        await world.hear(pool, opened)
    assert (await visit(site, path, "NTU"))[0] == 404
    page = await rightful.read(f"{home}/shares")
    assert ("NTU" in page, "with the link “university”" in page) == (is_made_first, is_made_first)
    assert (await visit(site, await share(rightful, home), "NTU"))[0] == 200


async def test_only_the_digest_of_a_link_is_kept(site: Site, holder: Holder) -> None:
    statement = await papers.give(site, holder.account)
    path = await share(holder, f"/scoring/results/{statement.result.id}")
    kept = await site.pools["scoring"].fetchval("SELECT shares::text FROM shares")
    assert path.rpartition("/")[2] not in kept


async def test_a_link_shows_the_result_as_it_holds_now(site: Site, holder: Holder) -> None:
    statement = await papers.give(site, holder.account)
    path = await share(holder, f"/scoring/results/{statement.result.id}")
    pool = site.pools["scoring"]
    await papers.correct(pool, statement.result.entry_id, papers.basic("30", "50", "20"))
    _, page = await visit(site, path, "NTU")
    assert ">100<" in page
    await pool.execute("UPDATE releases SET released_at = now() + interval '1 hour'")
    assert (await visit(site, path, "NTU"))[0] == 404


async def test_a_link_made_twice_is_one_link(site: Site, holder: Holder) -> None:
    statement = await papers.give(site, holder.account)
    home, same = f"/scoring/results/{statement.result.id}", str(uuid4())
    form = {"share_id": same, "label": "x", "days": "7"}
    answers = await asyncio.gather(*(holder.post(f"{home}/shares", **form) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]


async def test_there_are_never_more_than_twenty(site: Site, holder: Holder) -> None:
    statement = await papers.give(site, holder.account)
    home = f"/scoring/results/{statement.result.id}"
    answers = await asyncio.gather(
        *(
            holder.post(f"{home}/shares", share_id=str(uuid4()), label="x", days="7")
            for _ in range(25)
        )
    )
    assert sum(status == 200 for status, _ in answers) == 20
    assert await site.pools["scoring"].fetchval("SELECT count(*) FROM shares") == 20


async def test_nobody_makes_or_takes_back_the_links_of_others(site: Site, holder: Holder) -> None:
    statement, other = await papers.give(site, holder.account), await Holder.sign_in(site)
    theirs = await papers.give(site, other.account)
    home, others_home = (f"/scoring/results/{one.result.id}" for one in (statement, theirs))
    path = await share(holder, home)
    form = {"share_id": str(uuid4()), "label": "x", "days": "7"}
    assert (await other.post(f"{home}/shares", **form))[0] == 404
    share_id = await site.pools["scoring"].fetchval("SELECT id FROM shares")
    for tried in (home, others_home):
        assert (await other.post(f"{tried}/shares/{share_id}/revocation"))[0] == 404
    assert (await visit(site, path, "NTU"))[0] == 200


async def test_a_wrong_form_says_what_is_wrong(site: Site, holder: Holder) -> None:
    statement = await papers.give(site, holder.account)
    status, page = await holder.post(
        f"/scoring/results/{statement.result.id}/shares", label="x" * 61, days="5000"
    )
    assert status == 422
    for words in ("in at most 60 characters", "how long the link works", "Open this page again"):
        assert words in page
