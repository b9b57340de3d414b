"""The form a candidate fills in, one model for each step: what is asked and what is wrong. No I/O.

A programme's catalogue says which of these fields it asks, which of them have to be answered, and
what can be chosen. The pages and the machine interface validate with the same models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from services.enrollment.form_fields import (
    NO_LATIN_NAME,
    AgencyCode,
    Email,
    Landline,
    LatinName,
    Mobile,
    Name,
    PersonalId,
    Phone,
    PostalAddress,
    PostalCode,
    ReadBirthDate,
    Text,
    check_birth_date,
    is_latin,
)
from services.enrollment.programmes import Choice, Programme
from shared import taiwan
from shared.forms import Form, Says
from shared.i18n import mark

# What a registration stands on, whatever a catalogue says.
ALWAYS = frozenset({"person_name", "birth_date", "identity_number"})
# Fields that are asked because another one is: of whichever answer, or of this one only.
FOLLOWING: Mapping[str, tuple[str, str | None]] = {
    "identity_kind": ("identity_number", None),
    "agency_code": ("occupation", "public-servant"),
    "agency_unit": ("occupation", "public-servant"),
    "job_title": ("occupation", "public-servant"),
    "school": ("occupation", "student"),
    "school_year": ("occupation", "student"),
    "occupation_text": ("occupation", "other"),
}

FOREIGNERS_HAVE_NONE = mark("Citizens have this card. Choose the resident certificate or passport")
CITIZENS_HAVE_A_CARD = mark("Citizens give the number of their card or resident certificate")
NO_NATIONAL_ID = mark("Check the number: a letter, then 1 or 2, then 8 digits, as on the card")
NO_RESIDENT_NUMBER = mark("Check the number: 2 letters and 8 digits, or a letter, 8 or 9, 8 digits")
NO_PASSPORT = mark("Enter the passport number: 5 to 20 letters and digits")


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the candidates of a sitting, and what they can choose."""

    required: frozenset[str]
    optional: frozenset[str]
    choices: Mapping[str, Sequence[Choice]]
    today: date

    @classmethod
    def of(cls, programme: Programme, *, dialects: Sequence[str], today: date) -> "Questions":
        listed = {
            name: [Choice(**choice) for choice in choices]
            for name, choices in programme.form.get("choices", {}).items()
        }
        offered = [choice for choice in programme.dialects if choice.code in dialects]
        return cls(
            required=frozenset(programme.form.get("required", ())) | ALWAYS,
            optional=frozenset(programme.form.get("optional", ())) - ALWAYS,
            choices={**listed, "dialect": offered},
            today=today,
        )

    def asks(self, name: str) -> bool:
        first, _ = FOLLOWING.get(name, (name, None))
        return first in self.required or first in self.optional

    def follows(self, name: str, answers: Mapping[str, Any]) -> bool:
        """Tell whether this is asked of whoever answered like this."""
        first, only_after = FOLLOWING.get(name, (name, None))
        return self.asks(name) and only_after in {None, answers.get(first)}

    def find_choice(self, name: str, code: str) -> Choice | None:
        return next((one for one in self.choices.get(name, ()) if one.code == code), None)


def _asked(info: ValidationInfo) -> Questions:
    assert isinstance(info.context, Questions), "validate with the questions as context"
    return info.context


def _listed(code: str, info: ValidationInfo) -> str:
    """Accept what can be chosen."""
    if _asked(info).find_choice(info.field_name or "", code) is None:
        raise PydanticCustomError("not_listed", "cannot be chosen")
    return code


Listed = Annotated[str, AfterValidator(_listed)]
YesOrNo = Literal["yes", "no"]


class Step(BaseModel):
    """A part of the form. Everything may be None: that it was not asked."""

    model_config = ConfigDict(frozen=True, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_asked(cls, answer: Any, info: ValidationInfo) -> Any:
        questions = _asked(info)
        name = info.field_name or ""
        if not questions.follows(name, info.data):
            return None
        is_blank = answer is None or (isinstance(answer, str) and not answer.strip())
        if not is_blank:
            return answer
        # An answer that leads to more questions leaves none of them open.
        if name in questions.required or name in FOLLOWING:
            raise PydanticKnownError("missing")
        return None


class Person(Step):
    """Who sits the exam."""

    nationality: Annotated[
        Literal["taiwan", "foreign"] | None, Says(mark("Choose the nationality"))
    ] = None
    person_name: Annotated[Name | None, Says(mark("Enter the name"))] = None
    latin_name: Annotated[LatinName | None, Says(mark("Enter the name in English"))] = None
    birth_date: Annotated[
        date | None,
        ReadBirthDate,
        Says(
            mark("Enter the date of birth"),
            mark("Enter a date that exists, with the year in either calendar: 2007 or 96"),
        ),
    ] = None
    identity_kind: Annotated[
        Literal["national_id", "resident", "passport"] | None,
        Says(mark("Choose the document that shows who you are")),
    ] = None
    identity_number: Annotated[PersonalId | None, Says(mark("Enter the document’s number"))] = None

    @field_validator("person_name")
    @classmethod
    def _is_as_in_the_passport(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and info.data.get("nationality") == "foreign" and not is_latin(name):
            raise ValueError(NO_LATIN_NAME)
        return name

    @field_validator("birth_date")
    @classmethod
    def _is_of_somebody_alive(cls, birth_date: date | None, info: ValidationInfo) -> date | None:
        if birth_date is None:
            return None
        return check_birth_date(birth_date, today=_asked(info).today)

    @field_validator("identity_kind")
    @classmethod
    def _fits_the_nationality(cls, kind: str | None, info: ValidationInfo) -> str | None:
        nationality = info.data.get("nationality")
        if kind == "national_id" and nationality == "foreign":
            raise ValueError(FOREIGNERS_HAVE_NONE)
        # With a passport beside the card one person would be two.
        if kind == "passport" and nationality == "taiwan":
            raise ValueError(CITIZENS_HAVE_A_CARD)
        return kind

    @field_validator("identity_number")
    @classmethod
    def _is_of_its_kind(cls, number: str | None, info: ValidationInfo) -> str | None:
        if number is None:
            return None
        match info.data.get("identity_kind"):
            case "national_id" if not taiwan.is_national_id(number):
                raise ValueError(NO_NATIONAL_ID)
            case "resident" if not taiwan.is_resident_number(number, on=_asked(info).today):
                raise ValueError(NO_RESIDENT_NUMBER)
            case "passport" if not taiwan.is_passport(number):
                raise ValueError(NO_PASSPORT)
        return number


class Contact(Step):
    """How to reach them."""

    mobile_phone: Annotated[Mobile | None, Says(mark("Enter a mobile number"))] = None
    home_phone: Annotated[Landline | None, Says(mark("Enter the phone number at home"))] = None
    office_phone: Annotated[Landline | None, Says(mark("Enter the phone number at work"))] = None
    email: Annotated[Email | None, Says(mark("Enter an e-mail address"))] = None
    postal_code: Annotated[PostalCode | None, Says(mark("Enter the postal code"))] = None
    address: Annotated[PostalAddress | None, Says(mark("Enter the postal address"))] = None


class Emergency(Step):
    """Whom to call when something happens."""

    emergency_name: Annotated[Name | None, Says(mark("Enter the name of this person"))] = None
    emergency_phone: Annotated[Phone | None, Says(mark("Enter this person’s phone number"))] = None
    emergency_relation: Annotated[
        Listed | None, Says(mark("Choose who this person is to the candidate"))
    ] = None


class Exam(Step):
    """What they sit, and what they need for it."""

    dialect: Annotated[Listed | None, Says(mark("Choose the dialect"))] = None
    special_needs: Annotated[
        YesOrNo | None, Says(mark("Choose whether special arrangements are needed"))
    ] = None


class Background(Step):
    """What the statistics are made of."""

    heritage: Annotated[Listed | None, Says(mark("Choose the family background"))] = None
    occupation: Annotated[Listed | None, Says(mark("Choose the occupation"))] = None
    agency_code: Annotated[AgencyCode | None, Says(mark("Enter the agency code"))] = None
    agency_unit: Annotated[Text | None, Says(mark("Enter the unit within the agency"))] = None
    job_title: Annotated[Text | None, Says(mark("Enter the job title"))] = None
    school: Annotated[Text | None, Says(mark("Enter the name of the school"))] = None
    school_year: Annotated[Text | None, Says(mark("Enter the year at school"))] = None
    occupation_text: Annotated[Text | None, Says(mark("Enter the occupation"))] = None
    education: Annotated[Listed | None, Says(mark("Choose the education"))] = None


class Postage(Step):
    """What is sent on paper."""

    paper_ticket: Annotated[
        YesOrNo | None, Says(mark("Choose whether to get the admission ticket by post"))
    ] = None
    materials: Annotated[
        YesOrNo | None, Says(mark("Choose whether to get the learning materials by post"))
    ] = None


# In the order in which they are filled in.
STEPS: Mapping[str, type[Step]] = {
    "person": Person,
    "contact": Contact,
    "emergency": Emergency,
    "exam": Exam,
    "background": Background,
    "postage": Postage,
}
STEP_OF = {name: step for step, model in STEPS.items() for name in model.model_fields}


class WholeForm(Postage, Background, Exam, Emergency, Contact, Person):
    """All steps together: what is frozen when it is sent."""


def read_whole(answers: Mapping[str, Any], questions: Questions) -> Form[WholeForm]:
    """Hold all answers that there are against all that is asked."""
    return Form.of(WholeForm, answers, context=questions)


def find_open_steps(form: Form[WholeForm]) -> set[str]:
    """Name the steps in which an answer is missing, or is not accepted any more."""
    return {STEP_OF[name] for name in form.errors}


def list_steps(questions: Questions) -> list[str]:
    """Name the steps of which this programme asks anything."""
    return [
        step
        for step, model in STEPS.items()
        if any(questions.asks(name) for name in model.model_fields)
    ]
