"""What staff see of letters, and what they may do to them."""

import csv
import io
import re
from collections.abc import AsyncIterator

import pytest

from shared.auth import Role
from shared.events.enrollment import PlaceClaimed
from tests.conftest import MakeDatabase
from tests.notify.conftest import House, MakeHouse, owed, with_link
from tests.notify.samples import contact, sample
from tests.notify.test_consumers import hear
from tests.site import FROM_OUR_PAGE, Site, open_site

ADMINISTRATOR = "admin@exam.example"


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "notify") as site:
        _, cookie = await site.begin_session(Role.ADMINISTRATOR)
        await site.deliver()
        await site.pools["notify"].execute("TRUNCATE letters, letter_attempts")
        site.client.session.headers.update({**cookie, **FROM_OUR_PAGE})
        yield site


@pytest.fixture
def house(site: Site, make_house: MakeHouse) -> House:
    made = make_house(database_url=str(site.settings["notify"].database_url), channel="mailbox")
    made.pool = site.pools["notify"]
    return made


async def look(site: Site, path: str, **form: str) -> str:
    method = "POST" if form else "GET"
    answer = await site.client.request(method, f"/notify/staff{path}", data=form or None)
    assert answer.status == 200
    return await answer.text()


async def acts(house: House) -> list[str]:
    return [r["act"] for r in await house.pool.fetch("SELECT act FROM audit_lines ORDER BY id")]


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
async def test_other_staff_do_not_see_letters(site: Site, role: Role) -> None:
    _, cookie = await site.begin_session(role)
    answer = await site.client.get("/notify/staff/letters", headers=cookie)
    assert answer.status == 403


async def test_the_first_page_tells_of_letters_that_wait_for_an_address(
    site: Site, house: House
) -> None:
    words = "不知道地址的收件人"
    assert words not in await look(site, "/")
    await hear(house.pool, PlaceClaimed.model_validate(sample(PlaceClaimed)))
    assert words in await look(site, "/")
    await hear(house.pool, contact())
    assert words not in await look(site, "/")


async def test_the_first_page_counts_letters_by_their_state(site: Site, house: House) -> None:
    await house.owe(owed(0), owed(1), owed(2, recipient="no address"))
    await house.send_until("sent", "failed")
    shown = " ".join((await look(site, "/")).split())
    assert 'state=sent">已寄出</a></dt> <dd>2</dd>' in shown
    assert 'state=failed">失敗</a></dt> <dd>1</dd>' in shown


async def test_letters_are_found_by_address_state_and_template(site: Site, house: House) -> None:
    await house.owe(owed(0), owed(1, template="goodbye", context={"closed_at": None}))
    await house.owe(owed(2, recipient="nonsense"))
    await house.send_until("sent", "failed", "retrying")
    for wanted, found in (
        ({"address": "DATE0@"}, ["candidate0@"]),
        ({"state": "failed"}, ["nonsense"]),
        ({"template": "goodbye"}, ["candidate1@"]),
        ({"address": "candidate", "state": "failed"}, []),
        ({"address": "%"}, []),
    ):
        shown = await look(site, "/letters", **wanted)
        there = [who for who in ("candidate0@", "candidate1@", "nonsense") if who in shown]
        assert there == found, wanted


async def test_a_person_is_never_part_of_a_pages_address(site: Site, house: House) -> None:
    await house.owe(owed(0))
    shown = await look(site, "/letters?address=candidate0@exam.example")
    assert 'value="candidate0' not in shown, "it is not even read from there"
    assert 'action="/notify/staff/letters" method="post"' in shown


async def test_older_letters_are_a_button_away_and_none_is_missed(site: Site, house: House) -> None:
    await house.owe(*(owed(number) for number in range(120)))
    seen: list[str] = []
    form = {"address": "candidate", "state": "", "template": ""}
    for pages in range(1, 4):
        shown = await look(site, "/letters", **form)
        seen += re.findall(r"<td[^>]*>(candidate\d+)@", shown)
        hidden = shown.partition('name="after" value="')[2].partition('"')[0]
        assert bool(hidden) == (pages < 3)
        form["after"] = hidden
    assert len(seen) == len(set(seen)) == 120


async def test_a_letter_is_shown_with_its_history_but_never_with_its_link(
    site: Site, house: House
) -> None:
    await house.owe(with_link())
    letter_id = (await house.letter())["id"]
    for moment in ("before it is sent", "after"):
        shown = await look(site, f"/letters/{letter_id}")
        letter = await look(site, f"/letters/{letter_id}/html")
        for text in (shown, letter):
            assert "secret" not in text, moment
            assert "連結僅供收件人使用" in text
        await house.send_until("sent")
    assert "郵件伺服器已接收" in await look(site, f"/letters/{letter_id}")


async def test_a_letter_that_is_sent_again_goes_out_once_more_however_often_one_clicks(
    site: Site, house: House
) -> None:
    await house.owe(owed())
    await house.send_until("sent")
    letter_id = (await house.letter())["id"]
    before = len(await acts(house))
    for _ in range(3):
        answer = await site.post(f"/notify/staff/letters/{letter_id}/rounds", round="1")
        assert answer.status == 303
        assert answer.headers["Location"] == f"/notify/staff/letters/{letter_id}"
    await house.send_until("sent")
    assert await house.pool.fetchval("SELECT count(*) FROM mailbox") == 2
    assert (await acts(house))[before:] == ["letter_sent_again"]
    assert await house.fates() == ["sent", "sent"]


@pytest.mark.parametrize("kind", ["link", "words"])
async def test_what_is_not_kept_cannot_be_sent_again(site: Site, house: House, kind: str) -> None:
    await house.owe(with_link() if kind == "link" else owed())
    await house.send_until("sent")
    if kind == "words":
        await house.pool.execute("UPDATE letters SET context = NULL")
    letter_id = (await house.letter())["id"]
    assert "/rounds" not in await look(site, f"/letters/{letter_id}"), "there is no button"
    answer = await site.post(f"/notify/staff/letters/{letter_id}/rounds", round="1")
    assert answer.status == 409
    assert (await house.letter())["round"] == 1


@pytest.mark.parametrize("round_", ["", "x", "٣", "9" * 20])
async def test_a_round_that_is_none_is_not_begun(site: Site, house: House, round_: str) -> None:
    await house.owe(owed())
    letter_id = (await house.letter())["id"]
    answer = await site.post(f"/notify/staff/letters/{letter_id}/rounds", round=round_)
    assert answer.status == 404


async def test_what_is_listed_can_be_taken_away_as_a_file_and_that_is_on_record(
    site: Site, house: House
) -> None:
    for address in ("candidate0@exam.example", "=1+1@exam.example", "x@y.example"):
        await house.owe(owed(recipient=address))
    answer = await site.client.post(
        "/notify/staff/letters/exports", data={"address": "exam.example"}
    )
    assert answer.headers["Content-Disposition"] == 'attachment; filename="letters.csv"'
    rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert rows[0][2] == "收件人"
    assert {row[2] for row in rows[1:]} == {"candidate0@exam.example", "'=1+1@exam.example"}
    assert (await acts(house))[-1] == "letters_exported"


async def test_marked_addresses_are_listed_and_cleared_on_record(site: Site, house: House) -> None:
    await house.pool.execute(
        "INSERT INTO undeliverable (address_key, kind, marked_at) "
        "SELECT format('a%s@exam.example', lpad(n::text, 3, '0')), 'permanent', now() "
        "FROM generate_series(1, 150) AS n"
    )
    first = await look(site, "/undeliverable")
    assert "a100@exam.example" in first
    assert "a101@exam.example" not in first
    assert "a101@exam.example" in await look(site, "/undeliverable", after="a100@exam.example")
    assert "a007@exam.example" in await look(site, "/undeliverable", address="A007@")
    for _ in "a double click":
        answer = await site.post(
            "/notify/staff/undeliverable/clearings", address="a007@exam.example"
        )
        assert answer.status == 303
    assert "a007@exam.example" not in await look(site, "/undeliverable")
    assert (await acts(house)).count("undeliverable_mark_cleared") == 1
