"""One's own Confirmation of Entry, from the moment the registration is confirmed."""

from functools import partial

from aiohttp import hdrs, web

from services.enrollment import confirmations, entry_lists, levels
from services.enrollment.confirmations import CONFIRMATIONS, Stack
from services.enrollment.pages import own
from services.enrollment.timetables import PaperTime, Timetable
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.i18n import language_of
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import translate
from shared.vault import VAULT


async def download_confirmation(request: web.Request) -> web.Response:
    vault = request.app[VAULT]
    async with transaction(request.app[POOL]) as tx:
        registration = await own.find(tx, request)
        entry = await entry_lists.find_own(tx, registration_id=registration.id)
        if entry is None:
            raise NoSuchPage
        dossier = await own.load(tx, request, registration, request[ARRIVED_AT])
        sitting = dossier.sitting
        level = await levels.load(tx, programme=sitting.programme, code=sitting.level_group)
        secret_numbers = await entry_lists.reveal(tx, entries=[entry], vault=vault)
    language = language_of(request)
    # The hour, the room and the seat are the admission ticket's to say.
    exam = PaperTime(level.code, level.titles, sitting.exam_date, "", dossier.area_titles[language])
    content = await confirmations.render(
        request.app[CONFIRMATIONS],
        Stack(
            sitting=sitting,
            centre=None,
            timetable=Timetable("", "", [exam]),
            entries=[entry],
            secret_numbers=secret_numbers,
        ),
        site=str(request.app[SETTINGS].public_url),
        language=language,
        say=partial(translate, request),
    )
    return web.Response(
        body=content,
        content_type="application/pdf",
        headers={hdrs.CONTENT_DISPOSITION: f'inline; filename="{entry.id_number}.pdf"'},
    )


ROUTES = [
    web.get("/{registration_id}/confirmation.pdf", download_confirmation),
]
