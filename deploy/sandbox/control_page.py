"""The sandbox's strings as a page: what goes wrong, what time it is, and what was paid."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from deploy.sandbox import faults, money, notices
from deploy.sandbox.bank import BANK, Bank
from deploy.sandbox.clock import in_taipei
from deploy.sandbox.faults import Fault, Kind, Moment
from deploy.sandbox.pages import page, read_form, refuse_other_sites, see_other

NOTHING_TYPED: Mapping[str, str] = {}
MOST_DAYS_AHEAD = 400
NOTICES_SHOWN = 20
KINDS = {
    Kind.DUPLICATE: ("重複通知", "Notices come many times at once"),
    Kind.LATE: ("通知遲到", "The notice is late"),
    Kind.REORDERED: ("通知順序顛倒", "Notices come in the wrong order"),
    Kind.FORGED: ("偽造通知", "The notice is forged"),
    Kind.SILENT: ("沒有通知", "No notice comes"),
    Kind.WRONG_AMOUNT: ("金額錯誤", "A wrong amount is paid"),
    Kind.SIMULATED: ("模擬付款", "The payment is only simulated"),
    Kind.HANG: ("沒有回應", "No answer comes"),
    Kind.FAIL: ("伺服器錯誤", "The answer is 500"),
    Kind.SLOW: ("回應很慢", "The answer is slow"),
    Kind.CODE: ("回覆指定代碼", "The answer is a certain code"),
}


async def show(request: web.Request) -> web.Response:
    return await _show(request)


async def add_fault(request: web.Request) -> web.Response:
    """Let something go wrong; an empty field is one that was not asked about."""
    bank = request.app[BANK]
    refuse_other_sites(request, bank.url)
    form = await read_form(request)
    try:
        fault = Fault.model_validate({name: value for name, value in form.items() if value})
    except ValidationError as wrong:
        names = ", ".join(str(part) for one in wrong.errors() for part in one["loc"] or ("on",))
        return await _show(request, status=422, typed=form, fault=names)
    await bank.do(lambda db: faults.add(db, fault))
    return see_other("/control/")


async def clear_faults(request: web.Request) -> web.Response:
    bank = request.app[BANK]
    refuse_other_sites(request, bank.url)
    await bank.do(faults.clear)
    return see_other("/control/")


async def set_clock(request: web.Request) -> web.Response:
    """Put the clock ahead by days, so that codes expire."""
    bank = request.app[BANK]
    refuse_other_sites(request, bank.url)
    days = (await read_form(request)).get("days", "")
    if not days.isdecimal() or int(days[:9]) > MOST_DAYS_AHEAD:
        return await _show(request, status=422, fault="days")
    ahead = timedelta(days=int(days)).total_seconds()
    await bank.do(lambda db: bank.clock.set_ahead(db, ahead))
    return see_other("/control/")


async def _show(
    request: web.Request,
    *,
    status: int = 200,
    typed: Mapping[str, str] = NOTHING_TYPED,
    fault: str = "",
) -> web.Response:
    bank = request.app[BANK]
    return page(
        "control.html",
        status=status,
        kinds=KINDS,
        moments=list(Moment),
        typed=typed,
        fault=fault,
        **await _find_state(bank),
    )


async def _find_state(bank: Bank) -> dict[str, Any]:
    now = bank.clock.now()
    return await bank.do(
        lambda db: {
            "captured": money.totals(db),
            "waiting": faults.list_waiting(db),
            "notices": notices.list_latest(db)[:NOTICES_SHOWN],
            "now": now,
            "today": in_taipei(now).date(),
            "ahead_days": round(bank.clock.ahead_seconds / 86_400),
        }
    )


ROUTES = [
    web.get("/control/", show),
    web.post("/control/", add_fault),
    web.post("/control/clear", clear_faults),
    web.post("/control/ahead", set_clock),
]
