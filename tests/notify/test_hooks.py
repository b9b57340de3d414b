"""Bounces: forged, repeated, believed, and what they lead to."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notify import bounces
from shared.db import transaction
from tests.conftest import MakeDatabase
from tests.notify.conftest import House, MakeHouse, owed
from tests.site import SECRET, Site, open_site

ADDRESS = "candidate0@exam.example"


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "notify") as site:
        yield site


@pytest.fixture
def house(site: Site, make_house: MakeHouse) -> House:
    made = make_house(database_url=str(site.settings["notify"].database_url), channel="mailbox")
    made.pool = site.pools["notify"]
    return made


def report(minutes_ago: float = 1, **changed: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return {
        "address": ADDRESS,
        "kind": "permanent",
        "message_id": "<x@exam.example>",
        "at": at.isoformat(),
    } | changed


def sign(body: bytes) -> str:
    return f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"


async def send(
    site: Site, *reports: Any, body: bytes | None = None, signature: str | None = None
) -> int:
    body = json.dumps({"bounces": reports}).encode() if body is None else body
    headers = {"X-Examhall-Signature": sign(body) if signature is None else signature}
    answer = await site.client.post("/notify/hooks/bounces", data=body, headers=headers)
    return answer.status


async def marked(house: House) -> list[str]:
    async with transaction(house.pool) as tx:
        return [m.kind for m in await bounces.list_marks(tx, address="", limit=9, after=None)]


async def clear(house: House, *, now: datetime | None = None) -> None:
    async with transaction(house.pool) as tx:
        now = now or datetime.now(UTC)
        await bounces.clear(tx, address=ADDRESS.upper(), now=now, actor="test")


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, hashlib.sha256(b"").hexdigest(), "sha256=é"],
)
async def test_a_forged_report_changes_nothing(site: Site, house: House, signature: str) -> None:
    assert await send(site, report(), signature=signature) == 400
    assert await marked(house) == []


async def test_a_signature_holds_for_its_body_only(site: Site, house: House) -> None:
    signed = json.dumps({"bounces": []}).encode()
    assert await send(site, report(), signature=sign(signed)) == 400
    assert await marked(house) == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", b'{"bounces": [{"address": "a@b.example"}]}']
)
async def test_what_is_no_report_is_refused(site: Site, body: bytes) -> None:
    assert await send(site, body=body) == 400


@pytest.mark.parametrize(
    ("kind", "marks"),
    [("permanent", ["permanent"]), ("complaint", ["complaint"]), ("temporary", [])],
)
async def test_a_report_marks_its_address_if_the_next_letter_would_fare_no_better(
    site: Site, house: House, kind: str, marks: list[str]
) -> None:
    assert await send(site, report(kind=kind)) == 200
    assert await marked(house) == marks


async def test_letters_to_a_marked_address_fail_at_once_and_others_arrive(
    site: Site, house: House
) -> None:
    await send(site, report(address=ADDRESS.upper()))
    await house.owe(owed(0), owed(1))
    await house.send_until("sent", "failed")
    assert [(row["state"], row["last_reply"]) for row in await house.letters()] == [
        ("failed", "undeliverable: permanent"),
        ("sent", "put into the mailbox of this machine"),
    ]


async def test_letters_go_out_again_when_the_mark_is_cleared(site: Site, house: House) -> None:
    await send(site, report())
    await clear(house)
    await house.owe(owed(0))
    await house.send_until("sent")
    acts = await house.pool.fetch("SELECT act, subject FROM audit_lines")
    assert [row["act"] for row in acts] == ["undeliverable_mark_cleared"]
    assert "exam.example" not in acts[0]["subject"], "the audit log names nobody"


async def test_a_report_repeated_after_the_mark_was_cleared_does_not_set_it_again(
    site: Site, house: House
) -> None:
    same = report()
    assert await send(site, same, same) == 200
    await clear(house)
    assert await send(site, same) == 200
    assert await send(site, report(minutes_ago=5)) == 200, "nor does an older one that comes late"
    assert await marked(house) == []


async def test_a_report_of_before_the_clearing_that_comes_after_it_does_not_set_the_mark_again(
    site: Site, house: House
) -> None:
    await send(site, report(minutes_ago=10))
    await clear(house)
    await send(site, report(minutes_ago=5))
    assert await marked(house) == []


async def test_an_older_report_does_not_change_what_a_newer_one_said(
    site: Site, house: House
) -> None:
    await send(site, report(minutes_ago=1, kind="complaint"))
    await send(site, report(minutes_ago=5, kind="permanent"))
    assert await marked(house) == ["complaint"]


async def test_a_new_report_after_the_mark_was_cleared_sets_it_again(
    site: Site, house: House
) -> None:
    await send(site, report(minutes_ago=10))
    await clear(house, now=datetime.now(UTC) - timedelta(minutes=5))
    await send(site, report(minutes_ago=1))
    assert await marked(house) == ["permanent"]


@pytest.mark.parametrize("minutes_ago", [60 * 24 * 181, -60])
async def test_a_report_from_long_ago_or_from_the_future_is_not_believed(
    site: Site, house: House, minutes_ago: float
) -> None:
    assert await send(site, report(minutes_ago=minutes_ago)) == 200
    assert await marked(house) == []


async def test_a_letter_that_was_taken_and_came_back_has_failed(site: Site, house: House) -> None:
    await house.owe(owed(0))
    await house.send_until("sent")
    name = await house.pool.fetchval("SELECT message_id FROM mailbox")
    await send(site, report(message_id=name))
    row = await house.letter()
    assert (row["state"], row["last_reply"]) == ("failed", "came back: permanent")


async def test_a_report_about_an_earlier_round_does_not_touch_the_later_one(
    site: Site, house: House
) -> None:
    await house.owe(owed(0))
    await house.send_until("sent")
    name = await house.pool.fetchval("SELECT message_id FROM mailbox")
    await house.pool.execute("UPDATE letters SET round = 2")
    await send(site, report(message_id=name))
    assert (await house.letter())["state"] == "sent"


async def test_old_reports_and_marks_are_forgotten(site: Site, house: House) -> None:
    await send(site, report())
    later = datetime.now(UTC) + timedelta(days=180)
    async with transaction(house.pool) as tx:
        assert await bounces.forget_old(tx, now=later, after=timedelta(days=180)) == 2
        assert await bounces.forget_old(tx, now=later, after=timedelta(days=180)) == 0
    assert await marked(house) == []


async def test_without_a_secret_there_is_nowhere_to_report_to(
    make_database: MakeDatabase,
) -> None:
    async with open_site(make_database, "notify", bounce_secret=None) as site:
        assert await send(site, report()) in {403, 404}


def test_a_secret_that_could_be_guessed_is_refused(make_house: MakeHouse) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        make_house(channel="mailbox", bounce_secret="short")
