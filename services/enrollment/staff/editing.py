"""Forms that registrars fill in: which fields a page shows, and what the answers become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aiohttp import web

from services.enrollment.changes import ChangedMeanwhile
from services.enrollment.programmes import Choice, Titles
from shared.errors import Refused
from shared.forms import DATE_PARTS, Form
from shared.i18n import mark
from shared.templates import render


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a page: text, lines, date, select, boxes or yes."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    options: Sequence[tuple[str, str]] = ()


CATALOGUE = "/enrollment/staff/catalogue"
BACK = (CATALOGUE, mark("Programmes, levels and sittings"))
CODE = Input(
    "code",
    mark("Code"),
    hint=mark("Small letters, digits and hyphens. It is part of addresses and cannot be changed."),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What stands around the fields."""

    heading: str
    back: tuple[str, str]  # where it leads, and what that is called
    inputs: Sequence[Input]
    about: str = ""  # whose page it is


def show(
    request: web.Request, page: Page, form: Form[Any], *, seen: datetime | None = None
) -> web.Response:
    """Show a form: empty, filled in with what is known, or with what is wrong with it."""
    return render(
        request,
        "staff/edit.html",
        status=422 if form.errors else 200,
        page=page,
        form=form,
        seen=write_seen(seen),
    )


def refuse(form: Form[Any], field: str, refusal: Refused) -> None:
    form.add_error(field, refusal.sentence)


def check_seen(posted: Mapping[str, Any], edited_at: datetime | None) -> None:
    """Refuse a form that was opened before somebody else changed what it is about."""
    if posted.get("seen", "") != write_seen(edited_at):
        raise ChangedMeanwhile


def write_seen(edited_at: datetime | None) -> str:
    return edited_at.isoformat() if edited_at else ""


def write_titles(titles: Titles) -> dict[str, str]:
    return {"title_zh": titles["zh-Hant-TW"], "title_en": titles["en"]}


def read_titles(title_zh: str, title_en: str) -> Titles:
    return {"zh-Hant-TW": title_zh, "en": title_en}


def write_choices(choices: Sequence[Choice]) -> str:
    """Write choices as registrars edit them: one a line."""
    return "\n".join(
        f"{choice.code} | {choice.titles['zh-Hant-TW']} | {choice.titles['en']}"
        for choice in choices
    )


def read_choices(text: str) -> list[Choice]:
    """Read what `write_choices` wrote, or raise ValueError."""
    choices = []
    for line in text.splitlines():
        if line.strip():
            code, title_zh, title_en = (part.strip() for part in line.split("|"))
            choices.append(Choice(code, read_titles(title_zh, title_en)))
    return choices


def write_date(day: date | None) -> dict[str, str]:
    return {part: str(getattr(day, part)) if day else "" for part in DATE_PARTS}
