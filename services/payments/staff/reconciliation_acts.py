"""Finance imports the provider's files, and says what differences were."""

from aiohttp import web

from services.payments import differences, reconciliations
from services.payments.cashier import count
from services.payments.staff import asked
from services.payments.staff.reconciliation import Resolution, difference_id, show
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form
from shared.observe import ARRIVED_AT


async def import_file(request: web.Request) -> web.Response:
    """Count what only the file knows and list what differs. Done again, it changes nothing."""
    file_id = asked.named(request, "file_id")
    async with transaction(request.app[POOL]) as tx:
        captures = await reconciliations.import_(
            tx, file_id=file_id, actor=request[PRINCIPAL].id, now=request[ARRIVED_AT]
        )
    count(captures)
    raise web.HTTPSeeOther(f"/payments/staff/reconciliation/files/{file_id}?done=imported")


async def put_aside(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        await reconciliations.put_aside(
            tx, file_id=asked.named(request, "file_id"), actor=request[PRINCIPAL].id
        )
    raise web.HTTPSeeOther("/payments/staff/reconciliation?done=put_aside")


async def resolve(request: web.Request) -> web.Response:
    number, actor = difference_id(request), request[PRINCIPAL].id
    form = Form.read(Resolution, await request.post())
    if form.value is None:
        return await show(request, number, form=form)
    note, now = form.value.note, request[ARRIVED_AT]
    captures = []
    async with transaction(request.app[POOL]) as tx:
        if form.value.count:
            captures = await reconciliations.count_anyway(
                tx, difference_id=number, note=note, actor=actor, now=now
            )
        else:
            await differences.resolve(tx, difference_id=number, note=note, actor=actor, now=now)
    count(captures)
    raise web.HTTPSeeOther(f"/payments/staff/reconciliation/differences/{number}")


ROUTES = [
    web.post("/files/{file_id}/import", import_file),
    web.post("/files/{file_id}/removal", put_aside),
    web.post("/differences/{difference_id}/resolution", resolve),
]
