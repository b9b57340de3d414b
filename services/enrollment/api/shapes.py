"""What programs send and get: the shapes of enrollment's machine interface."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from services.enrollment.dossiers import Dossier
from services.enrollment.form_steps import STEPS
from services.enrollment.places import Place
from services.enrollment.programmes import Programme
from services.enrollment.registrations import Registration
from services.enrollment.registrations.claims import Claimed
from services.enrollment.sittings import Sitting, Window
from shared import taiwan

CODE = "^[a-z0-9]+(-[a-z0-9]+)*$"
LONGEST_CODE = 100
LONGEST_ANSWER = 300

Code = Annotated[str, Field(pattern=CODE, max_length=LONGEST_CODE)]
Titles = dict[str, str]  # by language


class Area(BaseModel):
    """Where one may ask to sit."""

    code: str
    titles: Titles
    left: int | None = Field(description="Places that are left; null: as many as want to.")

    @classmethod
    def of(cls, programme: Programme, place: Place) -> "Area":
        titles = {choice.code: dict(choice.titles) for choice in programme.areas}
        return cls(code=place.area, titles=titles.get(place.area, {}), left=place.left)


class OpenSitting(BaseModel):
    """A sitting that can be entered now, or later."""

    code: str
    programme: str
    titles: Titles
    exam_date: date
    window: Window
    opens_at: datetime = Field(description="The first instant that is in time.")
    closes_at: datetime = Field(description="The first instant that is too late.")
    areas: list[Area]
    dialects: list[str]

    @classmethod
    def of(
        cls, sitting: Sitting, programme: Programme, places: list[Place], now: datetime
    ) -> "OpenSitting":
        return cls(
            code=sitting.code,
            programme=sitting.programme,
            titles=dict(sitting.titles),
            exam_date=sitting.exam_date,
            window=sitting.window(now),
            opens_at=sitting.opens_at,
            closes_at=sitting.closes_at,
            areas=[Area.of(programme, place) for place in places],
            dialects=list(sitting.dialects),
        )


class OpenSittings(BaseModel):
    """All sittings whose window has not closed, in the order of their exams."""

    sittings: list[OpenSitting]


class Wish(BaseModel):
    """Where somebody wants to sit."""

    model_config = ConfigDict(extra="forbid")

    sitting: Code
    area: Code


class HeldPlace(BaseModel):
    """The place that is yours."""

    id: UUID = Field(description="Of the registration: it stands in its addresses.")
    reference: str = Field(description="What people quote on the telephone.")
    submit_by: datetime = Field(description="The first instant that is too late to send the form.")
    is_new: bool = Field(description="Whether it was taken just now, or was yours before.")

    @classmethod
    def of(cls, claimed: Claimed) -> "HeldPlace":
        return cls(
            id=claimed.id,
            reference=claimed.reference,
            submit_by=claimed.submit_by,
            is_new=claimed.is_new,
        )


class Summary(BaseModel):
    """Where a registration stands."""

    id: UUID
    reference: str
    sitting: str
    area: str
    state: Literal[
        "drafting",
        "awaiting_payment",
        "in_review",
        "returned",
        "confirmed",
        "absent",
        "lapsed",
        "void",
        "withdrawn",
    ]
    claimed_at: datetime
    submit_by: datetime
    submitted_at: datetime | None
    fee_twd: int | None
    pay_by: datetime | None
    paid_at: datetime | None
    fix_by: datetime | None = Field(description="Until when returned documents can be replaced.")
    confirmed_at: datetime | None
    ended_at: datetime | None
    ended_why: str | None

    @classmethod
    def of(cls, registration: Registration) -> "Summary":
        return cls(**_summarise(registration))


class Summaries(BaseModel):
    """All registrations of the token's account, the newest first."""

    registrations: list[Summary]


class Text(BaseModel):
    """A text that has to be agreed to before the form is filled in."""

    code: str
    version: str
    titles: Titles
    text: dict[str, list[str]] = Field(description="By language, in paragraphs.")


class Document(BaseModel):
    """A picture that is asked for."""

    code: str
    titles: Titles
    state: Literal["missing", "kept", "returned"]
    returned_why: str | None = Field(description="What is wrong with it, in words.")


class Whole(Summary):
    """All of a registration: what it holds, and what is still missing."""

    agreed: bool = Field(
        description="Whether all texts were agreed to: in their present version, until it is sent."
    )
    texts: list[Text]
    form: dict[str, str] = Field(description="What was answered; the ID number in part.")
    errors: dict[str, str] = Field(description="What is missing in the form, or wrong with it.")
    documents: list[Document]
    is_complete: bool = Field(description="Whether it can be sent.")

    @classmethod
    def of_dossier(cls, dossier: Dossier) -> "Whole":
        is_draft = dossier.registration.submitted_at is None
        return cls(
            **_summarise(dossier.registration),
            agreed=dossier.has_agreed,
            texts=[Text(**_pick(one, Text)) for one in dossier.programme.consents],
            form={name: _show(name, answer) for name, answer in dossier.answers.items()},
            errors=dict(dossier.form.errors) if is_draft else {},
            documents=[
                Document(
                    code=wanted.code,
                    titles=dict(wanted.titles),
                    state=_state_of(dossier, wanted.code),
                    returned_why=_why(dossier, wanted.code),
                )
                for wanted in dossier.wanted
            ],
            is_complete=dossier.is_complete,
        )


def _summarise(registration: Registration) -> dict[str, Any]:
    return {name: getattr(registration, name) for name in Summary.model_fields}


def _pick(values: Any, model: type[BaseModel]) -> dict[str, Any]:
    return {name: values[name] for name in model.model_fields}


def _show(name: str, answer: Any) -> str:
    return taiwan.mask_personal_id(answer) if name == "identity_number" else str(answer)


def _why(dossier: Dossier, document: str) -> str | None:
    kept = dossier.documents.get(document)
    return kept.returned_why if kept else None


def _state_of(dossier: Dossier, document: str) -> Literal["missing", "kept", "returned"]:
    if document not in dossier.documents:
        return "missing"
    return "returned" if _why(dossier, document) is not None else "kept"


class Agreed(BaseModel):
    """One text, in the version that was read."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    version: str = Field(max_length=LONGEST_CODE)


class Consents(BaseModel):
    """The texts that are agreed to: all of them."""

    model_config = ConfigDict(extra="forbid")

    texts: list[Agreed] = Field(max_length=20)


class Certainty(BaseModel):
    """That everything is right, and that one knows it cannot be changed any more."""

    model_config = ConfigDict(extra="forbid")

    certain: Literal[True]


# As on the pages, every answer is a text: a date is 2007-09-12, a choice its code, yes is "yes".
_ANSWER = Annotated[str, Field(max_length=LONGEST_ANSWER)]
_FIELDS: dict[str, Any] = {
    name: (
        _ANSWER | None,
        Field(None, description=f"Step {step}: {(model.__doc__ or '').lower()}"),
    )
    for step, model in STEPS.items()
    for name in model.model_fields
}
Answers = create_model(
    "Answers",
    __config__=ConfigDict(extra="forbid"),
    __doc__="Answers of one step of the form, of some, or of all; each step has to be whole.",
    **_FIELDS,
)
