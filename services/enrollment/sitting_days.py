"""The days of a sitting and the order they come in, for files and for forms."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ValidationInfo, field_validator

from shared.forms import Says
from shared.i18n import mark


class ExamDays(BaseModel):
    """The exam and what comes with it. Each day is compared with those that stand before it."""

    exam_date: Annotated[
        date, Says(mark("Enter the day of the exam"), mark("There is no such day"))
    ]
    materials_on: Annotated[
        date | None, Says(mark("Enter a day"), mark("There is no such day"))
    ] = None
    tickets_on: Annotated[
        date, Says(mark("Enter the day of the tickets"), mark("There is no such day"))
    ]
    results_on: Annotated[
        date, Says(mark("Enter the day of the results"), mark("There is no such day"))
    ]
    certificates_on: Annotated[
        date | None, Says(mark("Enter a day"), mark("There is no such day"))
    ] = None

    @field_validator("materials_on", "tickets_on")
    @classmethod
    def _is_before_the_exam(cls, day: date | None, info: ValidationInfo) -> date | None:
        exam_date = info.data.get("exam_date")
        if day is not None and exam_date is not None and day >= exam_date:
            raise ValueError(mark("This day must lie before the exam"))
        return day

    @field_validator("results_on")
    @classmethod
    def _is_after_the_exam(cls, day: date, info: ValidationInfo) -> date:
        exam_date = info.data.get("exam_date")
        if exam_date is not None and day <= exam_date:
            raise ValueError(mark("Results must come after the exam"))
        return day

    @field_validator("certificates_on")
    @classmethod
    def _is_not_before_results(cls, day: date | None, info: ValidationInfo) -> date | None:
        results_on = info.data.get("results_on")
        if day is not None and results_on is not None and day < results_on:
            raise ValueError(mark("Certificates cannot come before the results"))
        return day


class WindowDays(BaseModel):
    """The first and the last day of registration."""

    opens_on: Annotated[
        date, Says(mark("Enter the first day of registration"), mark("There is no such day"))
    ]
    closes_on: Annotated[
        date, Says(mark("Enter the last day of registration"), mark("There is no such day"))
    ]

    @field_validator("closes_on")
    @classmethod
    def _is_not_before_the_first(cls, day: date, info: ValidationInfo) -> date:
        opens_on = info.data.get("opens_on")
        if opens_on is not None and day < opens_on:
            raise ValueError(mark("Registration cannot end before it begins"))
        return day


class AllDays(WindowDays, ExamDays):
    """The whole calendar of a sitting."""

    @field_validator("closes_on")
    @classmethod
    def _ends_before_the_exam(cls, day: date, info: ValidationInfo) -> date:
        exam_date = info.data.get("exam_date")
        if exam_date is not None and day >= exam_date:
            raise ValueError(mark("Registration must end before the exam"))
        return day
