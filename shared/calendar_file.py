"""A deadline or an opening as a calendar file (RFC 5545) for people's own calendars."""

import re
from datetime import UTC, datetime

from shared.i18n import last_minute

LINE_OCTETS = 75  # RFC 5545, 3.1: longer lines are folded


def deadline_file(
    *, uid: str, title: str, text: str, deadline: datetime, url: str, now: datetime
) -> bytes:
    """Write one event at the last minute that is in time, with a reminder the day before."""
    at = last_minute(deadline)
    return _event(uid=uid, title=title, text=text, at=at, remind="-P1D", url=url, now=now)


def opening_file(
    *, uid: str, title: str, text: str, opens_at: datetime, url: str, now: datetime
) -> bytes:
    """Write one event at the instant of an opening, with a reminder shortly before."""
    return _event(uid=uid, title=title, text=text, at=opens_at, remind="-PT15M", url=url, now=now)


def _event(
    *, uid: str, title: str, text: str, at: datetime, remind: str, url: str, now: datetime
) -> bytes:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Examhall//Deadlines//EN",
        "BEGIN:VEVENT",
        f"UID:{_text(uid)}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(at)}",
        f"SUMMARY:{_text(title)}",
        f"DESCRIPTION:{_text(text)}",
        f"URL:{_one_line(url)}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(title)}",
        f"TRIGGER:{remind}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_fold(line) + b"\r\n" for line in lines)


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    escaped = re.sub(r"([\\;,])", r"\\\1", value)
    return _one_line(re.sub(r"\r\n|\r|\n", r"\\n", escaped))


def _one_line(value: str) -> str:
    return "".join(letter for letter in value if letter >= " " and letter != "\x7f")


def _fold(line: str) -> bytes:
    folded = b""
    room = LINE_OCTETS
    for letter in line:
        octets = letter.encode()
        # Never between the octets of one letter.
        if len(octets) > room:
            folded += b"\r\n "
            room = LINE_OCTETS - 1
        folded += octets
        room -= len(octets)
    return folded
