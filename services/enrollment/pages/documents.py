"""Documents: uploaded one by one, shown to whoever uploaded them, replaced until they are sent."""

from typing import Annotated

from aiohttp import web
from aiohttp.web_request import FileField
from pydantic import BaseModel, ConfigDict

from services.enrollment import documents
from services.enrollment.document_store import DOCUMENT_STORE
from services.enrollment.documents import NotAskedFor, Wanted
from services.enrollment.dossiers import Dossier
from services.enrollment.pages import own
from services.enrollment.registrations import fixing
from services.enrollment.registrations.drafts import AlreadySent
from shared.arrival import arrived_at
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.pictures import PICTURES, Picture, TooLarge, UnusablePicture
from shared.templates import render

# A picture of the largest size, and the form around it.
BODY_LIMIT = 4 * 1024 * 1024


class Upload(BaseModel):
    """A file."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    picture: Annotated[FileField, Says(mark("Choose a picture to upload"))]


def _wanted(request: web.Request, dossier: Dossier) -> Wanted:
    code = request.match_info["document"]
    wanted = next((one for one in dossier.wanted if one.code == code), None)
    if wanted is None:
        raise NotAskedFor
    return wanted


async def show_document(request: web.Request) -> web.Response:
    dossier, _ = await own.look(request)
    return _show(request, dossier, Form.blank(Upload))


async def upload(request: web.Request) -> web.Response:
    dossier, _ = await own.look(request)
    wanted = _wanted(request, dossier)
    if not dossier.has_agreed:
        raise web.HTTPSeeOther(own.address(dossier.registration, "/consents"))
    form, picture, status = await _read(request)
    if picture is None:
        return _show(request, dossier, form, status=status)
    await _keep(request, wanted, picture)
    raise web.HTTPSeeOther(f"/enrollment/documents/{dossier.registration.id}/{wanted.code}")


async def _read(request: web.Request) -> tuple[Form[Upload], Picture | None, int]:
    """Read what was uploaded; what cannot be used is an error of the form."""
    form = Form.blank(Upload)
    try:
        posted = await request.post()
        form = Form.read(Upload, posted)
        content = form.value.picture.file.read() if form.value else b""
        for field in posted.values():
            if isinstance(field, FileField):
                field.file.close()
        if form.value is None:
            return form, None, 422
        return form, await request.app[PICTURES].clean(content), 200
    except web.HTTPRequestEntityTooLarge:
        refusal: UnusablePicture = TooLarge()
    except UnusablePicture as unusable:
        refusal = unusable
    form.add_error("picture", refusal.sentence)
    return form, None, refusal.status


async def _keep(request: web.Request, wanted: Wanted, picture: Picture) -> None:
    """Announce the file, write it, and let it count: whatever fails, nothing is lost."""
    pool = request.app[POOL]
    owned = {
        "registration_id": own.registration_id(request),
        "account_id": request[PRINCIPAL].id,
    }
    async with transaction(pool) as tx:
        now = await arrived_at(tx, request)
        registration = await fixing.lock(tx, **owned, arrived_at=now)
        dossier = await own.load(tx, request, registration, now)
        if not dossier.may_replace(wanted.code):
            raise AlreadySent
        document_id = await documents.announce(
            tx,
            registration_id=registration.id,
            document=wanted.code,
            picture=picture,
            now=now,
        )
    await request.app[DOCUMENT_STORE].put(document_id, picture.content)
    async with transaction(pool) as tx:
        await fixing.lock(tx, **owned, arrived_at=now)
        await documents.keep(tx, document_id=document_id)


def _show(
    request: web.Request, dossier: Dossier, form: Form[Upload], *, status: int = 200
) -> web.Response:
    wanted = _wanted(request, dossier)
    return render(
        request,
        "candidate/show_document.html",
        status=status,
        dossier=dossier,
        registration=dossier.registration,
        wanted=wanted,
        kept=dossier.documents.get(wanted.code),
        may_replace=dossier.may_replace(wanted.code),
        form=form,
    )


async def show_picture(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        registration = await own.find(tx, request)
        kept = await documents.load(
            tx, registration_id=registration.id, document=request.match_info["document"]
        )
    store = request.app[DOCUMENT_STORE]
    return await store.answer(kept.id, name=f"{registration.reference}-{kept.document}")


ROUTES = [
    web.get("/{registration_id}/{document}", show_document),
    web.post("/{registration_id}/{document}", upload),
    web.get("/{registration_id}/{document}/picture", show_picture),
]
