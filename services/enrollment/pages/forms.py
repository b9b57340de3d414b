"""The form, page by page: each is saved when it is right, and shown again when it is not."""

from typing import Annotated, Any, Literal

from aiohttp import web
from multidict import MultiDict, MultiMapping
from pydantic import BaseModel

from services.enrollment import answers, contacts
from services.enrollment.answers import OtherTexts
from services.enrollment.dossiers import Dossier
from services.enrollment.form_steps import STEPS, Step
from services.enrollment.pages import own
from services.enrollment.registrations import Registration, drafts
from services.enrollment.registrations.drafts import PersonAlreadyThere
from services.enrollment.registrations.openings import Barred
from shared.arrival import arrived_at
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage
from shared.forms import Form, Says
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.templates import render
from shared.vault import VAULT

NUMBER = "identity_number"
CHANGED = mark("These texts have changed since you opened the page. Please read them again")


class Consent(BaseModel):
    """That the texts on the page are agreed to."""

    agreed: Annotated[Literal["yes"], Says(mark("Agree to these texts to go on"))]
    texts: list[str] = []  # which they were, each by its code and version


async def _lock(tx: Tx, request: web.Request) -> Registration:
    """Hold one's own draft still; what arrived in time is in time."""
    return await drafts.lock(
        tx,
        registration_id=own.registration_id(request),
        account_id=request[PRINCIPAL].id,
        arrived_at=await arrived_at(tx, request),
    )


async def _look_at_draft(request: web.Request) -> Dossier:
    """Look at a draft that can be written to; anything else is shown as it stands."""
    dossier, now = await own.look(request)
    registration = dossier.registration
    if registration.state != "drafting" or now >= registration.submit_by:
        raise web.HTTPSeeOther(own.address(registration))
    return dossier


async def show_consents(request: web.Request) -> web.Response:
    dossier = await _look_at_draft(request)
    return _ask_consent(request, dossier, Form.blank(Consent))


async def agree(request: web.Request) -> web.Response:
    form = Form.read(Consent, await request.post())
    if form.value is None:
        return _ask_consent(request, await _look_at_draft(request), form)
    try:
        async with transaction(request.app[POOL]) as tx:
            draft = await _lock(tx, request)
            now = await arrived_at(tx, request)
            dossier = await own.load(tx, request, draft, now)
            await answers.agree(
                tx,
                draft=draft,
                programme=dossier.programme,
                read=[_read_text(text) for text in form.value.texts],
                language=language_of(request),
                now=now,
            )
    except OtherTexts:
        form.add_error("agreed", CHANGED)
        return _ask_consent(request, dossier, form)
    raise web.HTTPSeeOther(_after("", dossier))


def _read_text(text: str) -> tuple[str, str]:
    code, _, version = text.partition(" ")
    return code, version


def _ask_consent(request: web.Request, dossier: Dossier, form: Form[Consent]) -> web.Response:
    return render(
        request,
        "candidate/show_consents.html",
        status=422 if form.errors else 200,
        dossier=dossier,
        registration=dossier.registration,
        form=form,
    )


def _step(request: web.Request, dossier: Dossier) -> str:
    step = request.match_info["step"]
    if step not in dossier.steps:
        raise NoSuchPage
    if not dossier.has_agreed:
        raise web.HTTPSeeOther(own.address(dossier.registration, "/consents"))
    return step


async def show_step(request: web.Request) -> web.Response:
    dossier = await _look_at_draft(request)
    step = _step(request, dossier)
    known = dict(dossier.answers)
    if "email" not in known:
        async with transaction(request.app[POOL]) as tx:
            known["email"] = await contacts.find_email(tx, account_id=request[PRINCIPAL].id)
    form = Form.of(STEPS[step], known, context=dossier.questions)
    # What was never asked is not wrong yet; and the number is not shown to whoever looks on.
    form = Form.blank(STEPS[step], **{**form.typed, **({NUMBER: ""} if step == "person" else {})})
    return _show(request, dossier, step, form)


async def save_step(request: web.Request) -> web.Response:
    dossier = await _look_at_draft(request)
    step = _step(request, dossier)
    posted = await request.post()
    form = Form.read(STEPS[step], _with_kept_number(posted, dossier), context=dossier.questions)
    if form.value is not None:
        try:
            async with transaction(request.app[POOL]) as tx:
                await answers.save(
                    tx,
                    draft=await _lock(tx, request),
                    step=form.value,
                    vault=request.app[VAULT],
                    now=await arrived_at(tx, request),
                )
        except (PersonAlreadyThere, Barred) as refusal:
            form.add_error(NUMBER, refusal.sentence)
            async with transaction(request.app[POOL]) as tx:
                await answers.count_refused(
                    tx, account_id=request[PRINCIPAL].id, now=request[ARRIVED_AT]
                )
    if form.value is None:
        if NUMBER in form.typed:
            form.typed[NUMBER] = posted.get(NUMBER, "")
        return _show(request, dossier, step, form)
    raise web.HTTPSeeOther(_after(step, dossier))


def _with_kept_number(posted: MultiMapping[Any], dossier: Dossier) -> MultiMapping[Any]:
    """An ID number is not shown again, so one that is left empty is the one we have."""
    kept = dossier.answers.get(NUMBER)
    if kept is None or str(posted.get(NUMBER, "")).strip():
        return posted
    return MultiDict({**posted, NUMBER: kept})


def _after(step: str, dossier: Dossier) -> str:
    """Where one goes on: to the next step that is open, or back to the list of what is to do."""
    steps = dossier.steps
    later = steps[steps.index(step) + 1 :] if step else steps
    following = next((one for one in later if one in dossier.open_steps), None)
    page = f"/form/{following}" if following else "?saved"
    return own.address(dossier.registration, page)


def _show(request: web.Request, dossier: Dossier, step: str, form: "Form[Step]") -> web.Response:
    return render(
        request,
        "candidate/show_step.html",
        status=422 if form.errors else 200,
        dossier=dossier,
        registration=dossier.registration,
        questions=dossier.questions,
        step=step,
        form=form,
    )


ROUTES = [
    web.get("/{registration_id}/consents", show_consents),
    web.post("/{registration_id}/consents", agree),
    web.get("/{registration_id}/form/{step}", show_step),
    web.post("/{registration_id}/form/{step}", save_step),
]
