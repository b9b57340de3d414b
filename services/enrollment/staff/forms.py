"""What registrars may answer, and the words when it cannot be accepted."""

import re
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, StringConstraints, ValidationInfo, field_validator

from services.enrollment.catalogue_files import CODE, Method
from services.enrollment.sitting_days import AllDays, ExamDays, WindowDays
from services.enrollment.staff.editing import read_choices
from shared.forms import Says
from shared.i18n import mark

Short = StringConstraints(max_length=200)
TOO_LONG = mark("Enter at most 200 characters")


class Coded(BaseModel):
    """What something is called in addresses and files, for ever."""

    code: Annotated[
        str,
        StringConstraints(pattern=CODE, max_length=60),
        Says(
            mark("Enter a code"),
            mark("A code is made of small letters, digits and hyphens, at most 60"),
        ),
    ]


class Named(BaseModel):
    """What people read, in both languages."""

    title_zh: Annotated[str, Short, Says(mark("Enter the Chinese name"), TOO_LONG)]
    title_en: Annotated[str, Short, Says(mark("Enter the English name"), TOO_LONG)]


class ChangedProgramme(Named):
    """An exam owner's set of levels and its rules."""

    zone: Annotated[str, Says(mark("Enter a time zone"))]
    year: Annotated[
        int, Field(ge=2000, le=2200), Says(mark("Enter a year"), mark("Enter a year such as 2026"))
    ]
    publish_time: Annotated[time, Says(mark("Enter an hour"), mark("Enter an hour such as 09:00"))]
    entry: Annotated[Literal["candidate", "centre"], Says(mark("Choose who enters candidates"))]
    fee_rule: Annotated[
        Literal["free_to_birthday", "flat", "centre"], Says(mark("Choose what a place costs"))
    ]
    fee_twd: Annotated[
        int,
        Field(ge=0, le=1_000_000),
        Says(mark("Enter the fee"), mark("Enter the fee as a whole number of dollars")),
    ] = 0
    fee_free_to_birthday: Annotated[
        int | None,
        Field(ge=1, le=120, validate_default=True),
        Says(mark("Enter an age"), mark("Enter an age between 1 and 120")),
    ] = None
    areas: str = ""
    dialects: str = ""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, KeyError, OSError):
            raise ValueError(mark("Enter a time zone such as Asia/Taipei")) from None
        return zone

    @field_validator("fee_free_to_birthday")
    @classmethod
    def _fits_the_rule(cls, age: int | None, info: ValidationInfo) -> int | None:
        rule = info.data.get("fee_rule")
        if rule == "free_to_birthday" and age is None:
            raise ValueError(mark("Enter up to which birthday the exam is free"))
        return age if rule == "free_to_birthday" else None

    @field_validator("areas", "dialects")
    @classmethod
    def _is_one_a_line(cls, text: str) -> str:
        try:
            codes = [choice.code for choice in read_choices(text)]
        except ValueError:
            raise ValueError(mark("Write one a line: code | Chinese name | English name")) from None
        if not all(re.fullmatch(CODE, code) for code in codes):
            raise ValueError(
                mark("A code is made of small letters, digits and hyphens, at most 60")
            )
        if len(set(codes)) < len(codes):
            raise ValueError(mark("A code is there twice"))
        return text


class NewProgramme(ChangedProgramme, Coded):
    """A programme, and another whose form and documents it takes over."""

    like: str = ""


class ChangedLevel(Named):
    """What one registers for."""

    position: Annotated[
        int, Field(ge=0, le=1_000), Says(mark("Enter a number"), mark("Enter a number up to 1000"))
    ]


class NewLevel(ChangedLevel, Coded):
    """A level group of a programme."""


class ChangedSeries(ChangedLevel):
    """Sittings that share entry rules."""

    submit_within_days: Annotated[
        int | None,
        Field(ge=1, le=365),
        Says(mark("Enter a number of days"), mark("Enter a number of days between 1 and 365")),
    ] = None
    one_only: bool = False
    absence_bars: bool = False


class NewSeries(ChangedSeries, Coded):
    """A series of a level group."""


class Numbered(Named):
    """Which sitting of its series it is."""

    number: Annotated[
        int, Field(ge=1, le=1_000), Says(mark("Enter a number"), mark("Enter a number up to 1000"))
    ]


class Offered(BaseModel):
    """What candidates may choose from."""

    methods: Annotated[list[Method], Says(mark("Choose from these"))] = []
    dialects: list[str] = []


class ChangedSitting(Offered, ExamDays, Numbered):
    """A sitting, but for its window and its places."""


class NewSitting(Offered, AllDays, Numbered, Coded):
    """A whole sitting."""

    areas: list[str] = []


class ChangedWindow(WindowDays):
    """From when and until when one can register."""


class ChangedCapacity(BaseModel):
    """How many an area holds."""

    capacity: Annotated[
        int | None,
        Field(ge=0, le=1_000_000),
        Says(
            mark("Enter a number, or nothing"),
            mark("Enter a whole number, or nothing when there is no limit"),
        ),
    ] = None
