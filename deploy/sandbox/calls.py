"""How a shop's call is answered, and everything that can go wrong on the way, on demand."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from deploy.sandbox import faults
from deploy.sandbox.bank import BANK
from deploy.sandbox.faults import Fault, Kind, Moment


async def answer(
    request: web.Request,
    moment: Moment,
    *,
    number: str,
    work: Callable[[], Awaitable[web.Response]],
    say: Callable[[str], web.Response],
) -> web.Response:
    """Do the work and answer, unless something was to go wrong; `say` answers with a code."""
    bank = request.app[BANK]
    happening = await bank.do(lambda db: faults.take(db, moment, number=number))
    for fault in happening:
        if fault.kind is Kind.SLOW:
            await bank.wait(fault.seconds)
    wrong = [fault for fault in happening if fault.kind is not Kind.SLOW]
    if undone := [fault for fault in wrong if not fault.done]:
        return await _misbehave(request, undone[0], say)
    done = await work()
    return await _misbehave(request, wrong[0], say) if wrong else done


async def _misbehave(
    request: web.Request, fault: Fault, say: Callable[[str], web.Response]
) -> web.Response:
    if fault.kind is Kind.CODE:
        return say(fault.code)
    if fault.kind is Kind.FAIL:
        raise web.HTTPInternalServerError(text="sandbox: this was asked for\n")
    await request.app[BANK].wait(fault.seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
