"""The provider's file is uploaded: read, kept, and shown with what its import would do."""

import asyncio
import hashlib

from aiohttp import web
from aiohttp.web_request import FileField

from services.payments import ecpay_file, reconciliations
from services.payments.ecpay_file import NotTheFile
from services.payments.staff import reconciliation
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.table_file import Unreadable

# 20,000 lines of 160 bytes are a day of crowds, and the form around them.
BODY_LIMIT = 4 * 1024 * 1024
LONGEST_NAME = 100

NO_FILE = mark("Choose a file")
TOO_LARGE = mark("This file is larger than 4 MB. Ask the provider for fewer days at once")
NO_TABLE = mark("This file cannot be read. Choose a CSV or xlsx file of at most 20,000 rows")
COLUMNS_MISSING = mark("This is not the provider's daily file: columns are missing")


async def take_file(request: web.Request) -> web.Response:
    try:
        posted = await request.post()
    except web.HTTPRequestEntityTooLarge:
        return await reconciliation.show_files(request, problem=TOO_LARGE)
    file = posted.get("file")
    if not isinstance(file, FileField):
        return await reconciliation.show_files(request, problem=NO_FILE)
    with file.file:  # a body of more than the usual size is not tidied up by itself
        content = file.file.read()
    now = request[ARRIVED_AT]
    try:
        table = await asyncio.to_thread(ecpay_file.read, content, now=now)
    except Unreadable:
        return await reconciliation.show_files(request, problem=NO_TABLE)
    except NotTheFile as wrong:
        return await reconciliation.show_files(
            request, problem=COLUMNS_MISSING, missing="、".join(wrong.missing)
        )
    async with transaction(request.app[POOL]) as tx:
        file_id = await reconciliations.look_at(
            tx,
            name=_printable(file.filename),
            digest=hashlib.sha256(content).digest(),
            table=table,
            actor=request[PRINCIPAL].id,
            now=now,
        )
    raise web.HTTPSeeOther(f"/payments/staff/reconciliation/files/{file_id}")


def _printable(name: str) -> str:
    """The file's own name, as far as it can be shown and kept."""
    written = "".join(letter for letter in name if letter.isprintable())
    return written[-LONGEST_NAME:] or "–"


ROUTES = [
    web.post("/files", take_file),
]
