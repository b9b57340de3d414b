"""Facts published by enrollment."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel

from shared.events import Event


class RegistrationEvent(Event):
    """Something happened to one registration. Its holder is reached through the account."""

    registration_id: UUID
    account_id: UUID
    reference: str  # what people quote on the telephone
    sitting: str  # its code in the catalogue
    sitting_titles: dict[str, str]  # by language


class PlaceClaimed(RegistrationEvent):
    """Somebody took a place; it is kept until `submit_by`."""

    name: ClassVar[str] = "enrollment.place_claimed.v1"

    area: str
    claimed_at: datetime
    submit_by: datetime


class SubmissionDue(RegistrationEvent):
    """A draft runs out soon: its holder is reminded."""

    name: ClassVar[str] = "enrollment.submission_due.v1"

    days_left: int
    submit_by: datetime


class RegistrationSubmitted(RegistrationEvent):
    """The form is frozen. Where something is owed, payments opens an order."""

    name: ClassVar[str] = "enrollment.registration_submitted.v1"

    programme: str
    exam_date: date
    amount_twd: int  # 0: nothing is owed, and payments has no order
    methods: list[str]  # allowed ways to pay: convenience_store, atm, card, line_pay
    submitted_at: datetime
    pay_by: datetime | None  # None: nothing is owed


class RegistrationLapsed(RegistrationEvent):
    """Time ran out; the place is free again."""

    name: ClassVar[str] = "enrollment.registration_lapsed.v1"

    why: Literal["not_submitted", "not_paid"]
    lapsed_at: datetime


class RegistrationWithdrawn(RegistrationEvent):
    """Its holder gave the place back before sending the form."""

    name: ClassVar[str] = "enrollment.registration_withdrawn.v1"

    withdrawn_at: datetime


class ReturnedDocument(BaseModel):
    """One document that a registrar did not accept, and the words for its holder."""

    document: str  # photo, id_front, special_needs
    reason: str


class DocumentsReturned(RegistrationEvent):
    """A registrar needs other documents by a deadline."""

    name: ClassVar[str] = "enrollment.documents_returned.v1"

    documents: list[ReturnedDocument]
    returned_at: datetime
    fix_by: datetime


class RegistrationConfirmed(RegistrationEvent):
    """A registrar approved it: this person sits the exam. What scoring needs to know of them."""

    name: ClassVar[str] = "enrollment.registration_confirmed.v1"

    programme: str
    level_group: str
    exam_date: date
    area: str
    dialect: str
    person_name: str
    latin_name: str | None
    birth_date: date
    tickets_at: datetime  # from then on the admission ticket can be had
    results_at: datetime
    confirmed_at: datetime


class RegistrationVoided(RegistrationEvent):
    """It was refused after review, barred by the rules, or ended by staff before it was paid."""

    name: ClassVar[str] = "enrollment.registration_voided.v1"

    why: Literal["documents_not_fixed", "refused", "absent_before", "ended_by_staff"]
    voided_at: datetime
    reason: str | None = None  # in words for its holder, where staff ended it


class RefundDue(RegistrationEvent):
    """Money paid for a registration has to go back; what was paid, payments knows."""

    name: ClassVar[str] = "enrollment.refund_due.v1"

    refund_id: UUID
    reason: Literal["review_failed", "place_gone"]
    less_twd: int  # kept for postage and handling; 0 where nothing is kept
    due_at: datetime


class ExamMoved(Event):
    """An exam is held on another day than was said before. Of several, the last move counts."""

    name: ClassVar[str] = "enrollment.exam_moved.v1"

    sitting: str
    exam_date: date
    moved_at: datetime


class EntryRecorded(Event):
    """Somebody is to sit an exam: published when they are entered, and at every change."""

    # What is known best is what was recorded last. A centre enters its candidates; whoever
    # registered here is entered when the registration is confirmed.
    name: ClassVar[str] = "enrollment.entry_recorded.v1"

    entry_id: UUID
    id_number: str  # 9 capitals and digits, printed on the Confirmation of Entry
    secret_digest: str  # of the secret number; see shared.entry_numbers
    programme: str
    zone: str  # of the programme's hours
    exam: str  # the code of its level group
    exam_titles: dict[str, str]  # by language
    sitting: str
    sitting_titles: dict[str, str]
    exam_date: date
    results_at: datetime  # when results were promised; when they are released, scoring decides
    person_name: str
    latin_name: str | None
    birth_date: date
    dialect: str | None
    candidate_number: str  # of a centre's list, or the registration's reference
    centre_number: str | None  # None: nobody's centre, the candidate registered here
    centre_name: str | None
    account_id: UUID | None  # of who registered here
    registration_id: UUID | None
    is_cancelled: bool  # voided or taken back: no result is made of it
    recorded_at: datetime
