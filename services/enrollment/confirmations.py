"""Confirmations of Entry: what candidates hold in hand, as PDF, for one or all of a centre."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from aiohttp import web

from services.enrollment.centres import Centre
from services.enrollment.entries import Entry
from services.enrollment.sittings import Sitting
from services.enrollment.timetables import Timetable
from shared import i18n
from shared.i18n import mark
from shared.pdf import Pdf
from shared.pdf_binding import Binding

CONFIRMATIONS = web.AppKey("confirmations", Pdf)
# All of a centre take seconds, for which nobody waits who wants their own.
STACKS = web.AppKey("stacks", Pdf)
# Made at a time: a tenth of a second, and some megabytes, however many a centre enters.
MADE_AT_ONCE = 25

# Where results are looked up, on this site.
RESULTS = "/identity/results/"

# How people call the hours of a zone; others are called by their name.
HOURS = {
    "Asia/Taipei": mark("Taiwan time"),
    "Europe/London": mark("UK time"),
}


@dataclass(frozen=True, slots=True)
class Stack:
    """What is printed into one file: of a sitting, at a centre or for one who registered here."""

    sitting: Sitting
    centre: Centre | None
    timetable: Timetable
    entries: Sequence[Entry]
    secret_numbers: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class _Words:
    """A stack and the language that it is printed in."""

    stack: Stack
    site: str
    language: str
    say: Callable[[str], str]

    def day(self, when: date) -> str:
        return i18n.day(when, self.stack.sitting.zone, self.language)


async def render(
    pdf: Pdf, stack: Stack, *, site: str, language: str, say: Callable[[str], str]
) -> bytes:
    """Write one file: the same whenever it is printed, until something changes."""
    words = _Words(stack, site, language, say)
    venue = [stack.timetable.venue, stack.timetable.venue_address]
    data = {
        "words": _words(words),
        "papers": _papers(words),
        "venue": ", ".join(filter(None, venue)) or None,
        "help": _help(words),
        "entries": [
            {
                "facts": _facts(words, entry),
                "id_number": entry.id_number,
                "secret_number": stack.secret_numbers[entry.id],
            }
            for entry in stack.entries
        ],
    }
    title = f"{say(mark('Confirmation of Entry'))}: {stack.sitting.titles[language]}"
    return await pdf.render("confirmations", data, title=title, language=language)


async def render_all(
    pdf: Pdf, stack: Stack, *, site: str, language: str, say: Callable[[str], str]
) -> AsyncIterator[bytes]:
    """Write one file piece by piece: others get their turn between, and none of it is kept."""
    binding = Binding()
    for start in range(0, len(stack.entries), MADE_AT_ONCE):
        some = replace(stack, entries=stack.entries[start : start + MADE_AT_ONCE])
        document = await render(pdf, some, site=site, language=language, say=say)
        yield await asyncio.to_thread(binding.add, document)
    yield await asyncio.to_thread(binding.finish)


def _words(words: _Words) -> dict[str, object]:
    say, sitting = words.say, words.stack.sitting
    hours = say(HOURS.get(sitting.zone.key, sitting.zone.key))
    when = f"{i18n.moment(sitting.results_at, sitting.zone, words.language)} ({hours})"
    return {
        "heading": say(mark("Confirmation of Entry and Timetable")),
        "sitting": sitting.titles[words.language],
        "timetable": say(mark("Timetable")),
        "columns": [
            say(sentence) for sentence in (mark("Date"), mark("Time"), mark("Paper"), mark("Venue"))
        ],
        "venue": say(mark("Venue address")),
        "results": say(mark("Information about your result")),
        "when": say(mark("Your result appears on {moment} at this address:")).format(moment=when),
        "where": words.site.rstrip("/") + RESULTS,
        "register": say(
            mark(
                "Register there with the two numbers below, before or after that day. Whoever"
                " registers before gets an e-mail as soon as the result is there."
            )
        ),
        "id_number": say(mark("ID Number")),
        "secret_number": say(mark("Secret Number")),
        "verification": say(
            mark(
                "An organisation that recognises this exam can check your result with these two"
                " numbers. Show them to nobody else."
            )
        ),
        "help": say(mark("Help")),
    }


def _help(words: _Words) -> str:
    centre = words.stack.centre
    if centre is None:
        return words.say(
            mark(
                "If you lose this sheet, print it again from your registration. The hour, room and"
                " seat of your exam stand on your admission ticket."
            )
        )
    return words.say(
        mark(
            "If you lose this sheet, or something on it is wrong, ask your exam centre: {centre}."
            " Only the centre can print it again or give you another secret number."
        )
    ).format(centre=f"{centre.name} ({centre.number})")


def _papers(words: _Words) -> list[list[str]]:
    timetable = words.stack.timetable
    return [
        [
            words.day(paper.on),
            paper.starts_at or "–",
            paper.titles[words.language],
            ", ".join(filter(None, [paper.room, timetable.venue])),
        ]
        for paper in timetable.papers
    ]


def _facts(words: _Words, entry: Entry) -> Sequence[tuple[str, str]]:
    say, centre = words.say, words.stack.centre
    name = " ".join(filter(None, [entry.person_name, entry.latin_name]))
    facts = [
        (say(mark("Candidate number")), entry.candidate_number),
        (say(mark("Candidate name")), name),
        (say(mark("Date of birth")), words.day(entry.birth_date)),
    ]
    if entry.internal_id:
        facts.append((say(mark("Internal ID")), entry.internal_id))
    if centre is not None:
        facts.append((say(mark("Centre number")), centre.number))
        facts.append((say(mark("Centre name")), centre.name))
    return facts
