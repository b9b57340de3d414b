"""The calendar file is one that calendars accept (RFC 5545)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared.calendar_file import deadline_file, opening_file

TAIPEI = ZoneInfo("Asia/Taipei")


def written(**changes: str) -> bytes:
    given = {
        "uid": "order-1@exam.example",
        "title": "Pay",
        "text": "NT$250",
        "url": "https://exam.example/payments/orders/1",
    }
    return deadline_file(
        **(given | changes),
        deadline=datetime(2026, 5, 6, tzinfo=TAIPEI),
        now=datetime(2026, 5, 1, 8, 30, tzinfo=UTC),
    )


def unfolded(file: bytes) -> list[str]:
    return file.replace(b"\r\n ", b"").decode().split("\r\n")


def test_the_event_is_the_last_minute_in_time() -> None:
    lines = unfolded(written())
    assert "DTSTART:20260505T155900Z" in lines
    assert "DTSTAMP:20260501T083000Z" in lines
    assert "UID:order-1@exam.example" in lines
    assert "URL:https://exam.example/payments/orders/1" in lines
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")


def test_every_line_ends_as_the_standard_says_and_is_short() -> None:
    file = written(title="繳費期限" * 30, text="第一行\n第二行" * 20)
    assert file.count(b"\n") == file.count(b"\r\n") == file.count(b"\r")
    for line in file.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no letter is cut in two


def test_folding_loses_nothing() -> None:
    title = "繳費期限 pay by" * 20
    assert f"SUMMARY:{title}" in unfolded(written(title=title))


def test_special_letters_are_escaped() -> None:
    lines = unfolded(written(text="a,b;c\\d\r\ne\nf"))
    assert r"DESCRIPTION:a\,b\;c\\d\ne\nf" in lines


def test_nobody_can_add_lines_of_their_own() -> None:
    lines = unfolded(written(url="https://x\r\nATTACH:evil", uid="1\nATTACH:evil"))
    assert not any(line.startswith("ATTACH") for line in lines)


def test_an_opening_is_the_instant_itself_with_a_reminder_shortly_before() -> None:
    file = opening_file(
        uid="opening-1@exam.example",
        title="Opening",
        text="",
        opens_at=datetime(2026, 5, 1, tzinfo=TAIPEI),
        url="https://exam.example/enrollment/",
        now=datetime(2026, 4, 1, tzinfo=UTC),
    )
    lines = unfolded(file)
    assert "DTSTART:20260430T160000Z" in lines
    assert "TRIGGER:-PT15M" in lines
