"""Dossiers: everything there is about one registration, and what is still missing from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.enrollment import answers, documents, form_steps, programmes, rules, sittings
from services.enrollment.answers import Answers
from services.enrollment.documents import Document, Wanted
from services.enrollment.form_steps import Questions, WholeForm
from services.enrollment.programmes import Programme, Titles
from services.enrollment.registrations import Registration
from services.enrollment.sittings import Sitting
from shared.days import start_of_day
from shared.db import Tx
from shared.forms import Form
from shared.taiwan import mask_personal_id
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Dossier:
    """A registration with its sitting, form and documents."""

    registration: Registration
    sitting: Sitting
    programme: Programme
    questions: Questions
    answers: Answers
    form: Form[WholeForm]
    has_agreed: bool
    wanted: Sequence[Wanted]
    documents: Mapping[str, Document]

    @property
    def exam_at(self) -> datetime:
        return start_of_day(self.sitting.exam_date, self.sitting.zone)

    @property
    def area_titles(self) -> Titles:
        areas = {area.code: area.titles for area in self.programme.areas}
        return areas[self.registration.area]

    @property
    def masked_number(self) -> str | None:
        """The ID number as its owner knows it and nobody else learns it."""
        number = self.answers.get("identity_number")
        return mask_personal_id(number) if number else None

    @property
    def steps(self) -> list[str]:
        return form_steps.list_steps(self.questions)

    def fields_of(self, step: str) -> list[str]:
        """Name what was asked in a step: with what follows from an answer, where it was given."""
        return [
            name
            for name in form_steps.STEPS[step].model_fields
            if self.questions.follows(name, self.answers)
        ]

    @property
    def open_steps(self) -> set[str]:
        return form_steps.find_open_steps(self.form)

    @property
    def missing_documents(self) -> list[Wanted]:
        return [one for one in self.wanted if one.code not in self.documents]

    @property
    def returned_documents(self) -> list[Document]:
        """Those that still have to be replaced."""
        return [one for one in self.documents.values() if one.returned_why is not None]

    @property
    def is_complete(self) -> bool:
        """Whether it can be sent."""
        return self.has_agreed and self.form.value is not None and not self.missing_documents

    @property
    def fee_twd(self) -> int | None:
        """What it costs, or will; None: that depends on an answer that is missing."""
        if self.registration.fee_twd is not None:
            return self.registration.fee_twd
        birth_date = self.form.value.birth_date if self.form.value else None
        if birth_date is None:
            return None
        return rules.fee_of(
            self.programme.fee_rule,
            full_fee_twd=self.programme.fee_twd,
            free_until_age=self.programme.fee_free_to_birthday,
            birth_date=birth_date,
            exam_date=self.sitting.exam_date,
        )

    def may_replace(self, document: str) -> bool:
        """Whether another one may be uploaded, as far as the registration's state tells."""
        if self.registration.state == "returned":
            kept = self.documents.get(document)
            return kept is not None and kept.was_returned
        return self.registration.state == "drafting"


async def load(tx: Tx, *, registration: Registration, vault: Vault, now: datetime) -> Dossier:
    sitting = await sittings.load(tx, code=registration.sitting)
    programme = await programmes.load(tx, code=sitting.programme)
    questions = Questions.of(
        programme, dialects=sitting.dialects, today=now.astimezone(sitting.zone).date()
    )
    written = await answers.load(tx, registration_id=registration.id, vault=vault)
    form = form_steps.read_whole(written, questions)
    return Dossier(
        registration=registration,
        sitting=sitting,
        programme=programme,
        questions=questions,
        answers=written,
        form=form,
        # Whoever has sent it agreed to the texts of that day; newer ones are not asked of them.
        has_agreed=registration.submitted_at is not None
        or await answers.has_agreed(tx, registration_id=registration.id, programme=programme),
        wanted=documents.list_wanted(programme, answers=written, exam_date=sitting.exam_date),
        documents=await documents.list_(tx, registration_id=registration.id),
    )
