"""The mailbox of one machine: there where letters stay, and nowhere else."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import MakeDatabase
from tests.notify.conftest import House, MakeHouse, make_settings, owed, with_link
from tests.site import Site, open_site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "notify") as site:
        yield site


@pytest.fixture
def house(site: Site, make_house: MakeHouse) -> House:
    made = make_house(database_url=str(site.settings["notify"].database_url), channel="mailbox")
    made.pool = site.pools["notify"]
    return made


async def page(site: Site, path: str) -> str:
    answer = await site.client.get(path)
    assert answer.status == 200
    return await answer.text()


async def test_letters_are_listed_newest_first_and_found_by_address(
    site: Site, house: House
) -> None:
    for number in range(3):
        await house.owe(owed(number))
        await house.send_until("sent")
    listed = await page(site, "/notify/mailbox/")
    places = [listed.index(f"candidate{number}@") for number in (2, 1, 0)]
    assert places == sorted(places)
    found = await page(site, "/notify/mailbox/?address=Candidate1@")
    assert "candidate1@" in found
    assert "candidate2@" not in found


async def test_more_letters_than_fit_on_a_page_are_a_link_away(site: Site, house: House) -> None:
    await house.owe(*(owed(number) for number in range(60)))
    await house.send_until("sent")
    first = await page(site, "/notify/mailbox/?address=candidate")
    assert first.count("candidate") > 50
    [older] = {part.partition('"')[0] for part in first.split('href="') if "before=" in part}
    second = await page(site, older.replace("&amp;", "&"))
    assert second.count("@exam.example</td>") == 10


async def test_a_letter_is_shown_with_its_link_and_behind_its_own_policy(
    site: Site, house: House
) -> None:
    await house.owe(with_link(person="<script>alert(1)</script>"))
    await house.send_until("sent")
    answer = await site.client.get("/notify/mailbox/1")
    shown = await answer.text()
    assert '<a class="govuk-link" href="https://exam.example/identity/letters/secret">' in shown
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown
    letter = await site.client.get("/notify/mailbox/1/html")
    assert "<script>" not in await letter.text()
    rules = letter.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in rules
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in rules


@pytest.mark.parametrize("number", ["7", "x", "٣", "9" * 30, "1/html/x"])
async def test_there_is_no_other_letter(site: Site, number: str) -> None:
    answer = await site.client.get(f"/notify/mailbox/{number}")
    assert answer.status == 404


@pytest.mark.parametrize("page", ["", "1", "1/html"])
async def test_where_letters_go_out_there_is_no_mailbox(
    make_database: MakeDatabase, page: str
) -> None:
    async with open_site(
        make_database, "notify", channel="smtp", smtp_url="smtp://mail.exam.example"
    ) as site:
        await site.pools["notify"].execute(
            "INSERT INTO mailbox (message_id, recipient, recipient_key, subject, text, html) "
            "VALUES ('<1>', 'a', 'a', 's', 't', 'h')"
        )
        assert (await site.client.get(f"/notify/mailbox/{page}")).status == 404


def test_a_public_site_cannot_have_a_mailbox() -> None:
    with pytest.raises(ValueError, match="for one machine"):
        make_settings(
            "postgresql://x/y", channel="mailbox", EXAMHALL_PUBLIC_URL="https://exam.example"
        )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "NOTIFY_SMTP_URL is missing"),
        ({"smtp_url": "http://mail.exam.example"}, "scheme"),
        ({"smtp_url": "smtp://x", "sender": "nobody"}, "not an e-mail address"),
        ({"smtp_url": "smtp://x", "lease_seconds": 5}, "more than 3 times"),
    ],
)
def test_settings_that_could_not_work_are_refused_at_the_start(
    wrong: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        make_settings("postgresql://x/y", **wrong)
    assert "secret" not in str(refused.value)


def test_a_sender_cannot_begin_a_line_of_its_own() -> None:
    settings = make_settings(
        "postgresql://x/y", channel="mailbox", sender='"Examhall\nBcc: x" <letters@exam.example>'
    )
    assert settings.sender_address.name == "Examhall Bcc: x"
