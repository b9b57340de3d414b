"""For programs: agreeing to the texts, and filling in the form a step at a time or at once."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from services.enrollment import answers
from services.enrollment.answers import OtherTexts
from services.enrollment.api import calls, registrations, shapes
from services.enrollment.api.calls import CALLER
from services.enrollment.dossiers import Dossier
from services.enrollment.form_steps import STEP_OF, STEPS, Step
from services.enrollment.limits import TooManyNumbers
from services.enrollment.registrations.drafts import PersonAlreadyThere
from services.enrollment.registrations.openings import Barred
from shared import api
from shared.api import Operation
from shared.arrival import arrived_at
from shared.db import Tx
from shared.errors import Refused, WrongFields
from shared.forms import Form
from shared.i18n import language_of
from shared.observe import ARRIVED_AT
from shared.vault import VAULT


class NotAgreed(Refused):
    """Agree to the texts before you fill in the form."""


async def agree(request: web.Request) -> web.Response:
    """Agree to all texts that the registration shows, in the version that was read."""
    agreed = await api.read(request, shapes.Consents)

    async def act(tx: Tx) -> BaseModel:
        draft = await registrations.lock(tx, request)
        programme = (await registrations.load(tx, request, draft)).programme
        await answers.agree(
            tx,
            draft=draft,
            programme=programme,
            read=[(text.code, text.version) for text in agreed.texts],
            language=language_of(request),
            now=await arrived_at(tx, request),
        )
        return await registrations.look(tx, request)

    return await calls.once(request, act)


async def save_form(request: web.Request) -> web.Response:
    """Save steps of the form: those to which any of the answers belongs.

    A step replaces what it held before, so all its answers are sent together. When one answer
    cannot be accepted nothing is saved, and `errors` says what is wrong with which.
    """
    sent = (await api.read(request, shapes.Answers)).model_dump(exclude_none=True)

    async def act(tx: Tx) -> BaseModel:
        draft = await registrations.lock(tx, request)
        dossier = await registrations.load(tx, request, draft)
        if not dossier.has_agreed:
            raise NotAgreed
        for step in _read_steps(sent, dossier):
            await answers.save(
                tx,
                draft=draft,
                step=step,
                vault=request.app[VAULT],
                now=await arrived_at(tx, request),
            )
        return await registrations.look(tx, request)

    async def refuse(tx: Tx, refusal: Refused) -> None:
        if isinstance(refusal, PersonAlreadyThere | Barred):
            await answers.count_refused(
                tx, account_id=request[CALLER].account_id, now=request[ARRIVED_AT]
            )

    return await calls.once(request, act, refuse)


def _read_steps(sent: dict[str, Any], dossier: Dossier) -> list[Step]:
    named = {STEP_OF[name] for name in sent}
    forms: list[Form[Step]] = [
        Form.of(STEPS[step], sent, context=dossier.questions)
        for step in dossier.steps
        if step in named
    ]
    errors = {name: sentence for form in forms for name, sentence in form.errors.items()}
    if errors:
        raise WrongFields(errors)
    return [form.value for form in forms if form.value is not None]


OPERATIONS: api.Operations = {
    agree: Operation(
        request=shapes.Consents,
        response=shapes.Whole,
        headers=(calls.KEY,),
        refusals=(*registrations.CHANGES, WrongFields, OtherTexts),
    ),
    save_form: Operation(
        request=shapes.Answers,
        response=shapes.Whole,
        headers=(calls.KEY,),
        refusals=(
            *registrations.CHANGES,
            WrongFields,
            NotAgreed,
            TooManyNumbers,
            PersonAlreadyThere,
            Barred,
        ),
    ),
}

ROUTES = [
    web.put("/registrations/{registration_id}/consents", agree),
    web.put("/registrations/{registration_id}/form", save_form),
]
