"""For programs: uploading a document, as the body of a request."""

from aiohttp import web
from pydantic import BaseModel

from services.enrollment import documents
from services.enrollment.api import calls, registrations, shapes
from services.enrollment.api.calls import CALLER
from services.enrollment.api.forms import NotAgreed
from services.enrollment.document_store import DOCUMENT_STORE, StoreAway
from services.enrollment.documents import NoSuchDocument, NotAskedFor
from services.enrollment.registrations import fixing
from services.enrollment.registrations.drafts import AlreadySent
from shared import api
from shared.api import Operation
from shared.arrival import arrived_at
from shared.db import POOL, Tx, transaction
from shared.pictures import (
    PICTURES,
    Broken,
    MoreThanAPicture,
    NeitherJpegNorPng,
    TooLarge,
    TooManyPixels,
    TooNarrow,
    TooSmall,
)

# A picture of the largest size and nothing around it; what is larger is told so as a picture.
BODY_LIMIT = 4 * 1024 * 1024
KINDS = ("image/jpeg", "image/png")


async def upload(request: web.Request) -> web.Response:
    """Upload a document, instead of the one that was there: JPEG or PNG, 25 KB to 3 MB.

    It is a picture by what it holds, whatever its media type says. After sending, only a document
    that was returned can be replaced; hand it in with a resubmission.
    """
    owned = {
        "registration_id": registrations.registration_id(request),
        "account_id": request[CALLER].account_id,
    }
    pool = request.app[POOL]
    async with transaction(pool) as tx:
        if answered := await calls.find_answered(tx, request):
            return answered
        dossier = await registrations.load(tx, request, await registrations.find(tx, request))
    wanted = next(
        (one for one in dossier.wanted if one.code == request.match_info["document"]), None
    )
    if wanted is None:
        raise NotAskedFor
    picture = await request.app[PICTURES].clean(await request.read())
    # Announced before it is written, and counted afterwards: whatever fails, nothing is lost.
    async with transaction(pool) as tx:
        now = await arrived_at(tx, request)
        registration = await fixing.lock(tx, **owned, arrived_at=now)
        dossier = await registrations.load(tx, request, registration)
        if not dossier.has_agreed:
            raise NotAgreed
        if not dossier.may_replace(wanted.code):
            raise AlreadySent
        document_id = await documents.announce(
            tx, registration_id=registration.id, document=wanted.code, picture=picture, now=now
        )
    await request.app[DOCUMENT_STORE].put(document_id, picture.content)

    async def act(tx: Tx) -> BaseModel:
        await fixing.lock(tx, **owned, arrived_at=now)
        await documents.keep(tx, document_id=document_id)
        return await registrations.look(tx, request)

    return await calls.once(request, act)


OPERATIONS: api.Operations = {
    upload: Operation(
        response=shapes.Whole,
        headers=(calls.KEY,),
        files=KINDS,
        refusals=(
            *registrations.CHANGES,
            NotAgreed,
            NotAskedFor,
            NoSuchDocument,
            TooSmall,
            TooLarge,
            NeitherJpegNorPng,
            TooManyPixels,
            TooNarrow,
            Broken,
            MoreThanAPicture,
            StoreAway,
        ),
    ),
}

ROUTES = [
    web.put("/{registration_id}/{document}", upload),
]
