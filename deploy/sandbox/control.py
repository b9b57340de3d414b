"""The sandbox's strings, for tests and demonstrations: JSON in, JSON out."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from deploy.sandbox import faults, money, notices
from deploy.sandbox.bank import BANK
from deploy.sandbox.ecpay import desk, trades
from deploy.sandbox.ecpay.trades import NotPossible, Trade
from deploy.sandbox.faults import Fault, Kind
from deploy.sandbox.line_pay import payments

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PaymentAsked(_Asked):
    """Pay this at a store, at a bank or with a card."""

    code: str = Field(min_length=1)
    amount: int | None = Field(None, ge=1)
    place: str = ""
    also_expired: bool = False


class NoticeAsked(_Asked):
    """Claim that this was paid, although nobody did."""

    number: str = Field(min_length=1)
    kind: Literal["forged", "simulated", "true"] = "forged"
    amount: int | None = Field(None, ge=1)


class ClockAsked(_Asked):
    """What time it is here from now on."""

    now: AwareDatetime | None = None
    ahead_seconds: float = 0


async def show_captured(request: web.Request) -> web.Response:
    """All money that was taken and given back."""
    return web.json_response(await request.app[BANK].do(money.totals))


async def show_orders(request: web.Request) -> web.Response:
    """The latest orders, or those with this number of the shop's."""
    number = request.query.get("number")

    def find(db: Connection) -> dict[str, Any]:
        if number is None:
            ecpay, line_pay = trades.list_latest(db), payments.list_latest(db)
        else:
            ecpay = trades.list_by_number(db, number)
            one = payments.find_by_order(db, number)
            line_pay = [one] if one else []
        return {"ecpay": [*map(_plain, ecpay)], "line_pay": [*map(_plain, line_pay)]}

    return web.json_response(await request.app[BANK].do(find))


async def show_notices(request: web.Request) -> web.Response:
    """How many are still to arrive, and the latest of all."""
    told = await request.app[BANK].do(
        lambda db: {"waiting": notices.count_waiting(db), "latest": notices.list_latest(db)}
    )
    return web.json_response(told)


async def show_faults(request: web.Request) -> web.Response:
    waiting = await request.app[BANK].do(faults.list_waiting)
    told = [{"id": one.id, "times": one.times, **one.fault.model_dump()} for one in waiting]
    return web.json_response(told)


async def add_fault(request: web.Request) -> web.Response:
    """Let something go wrong for an order, or for the next one."""
    fault = await _read(request, Fault)
    added = await request.app[BANK].do(lambda db: faults.add(db, fault))
    return web.json_response({"id": added}, status=201)


async def clear_faults(request: web.Request) -> web.Response:
    await request.app[BANK].do(faults.clear)
    return web.json_response({})


async def pay(request: web.Request) -> web.Response:
    """Pay a code, an account, a slip, or a card's order by its number."""
    bank = request.app[BANK]
    asked, now = await _read(request, PaymentAsked), bank.clock.now()
    paid = await _work_on(
        request,
        asked.code,
        lambda db, trade: desk.pay(
            db,
            trade,
            bank.rules,
            amount_twd=asked.amount,
            paid_from=asked.place,
            also_expired=asked.also_expired,
            now=now,
        ),
    )
    return web.json_response(_plain(paid), status=201)


async def decline(request: web.Request) -> web.Response:
    """Let a card's bank refuse."""
    bank = request.app[BANK]
    asked, now = await _read(request, PaymentAsked), bank.clock.now()
    declined = await _work_on(
        request, asked.code, lambda db, trade: desk.decline(db, trade, bank.rules, now=now)
    )
    return web.json_response(_plain(declined), status=201)


async def send_made_up(request: web.Request) -> web.Response:
    """Send a notice that tells of no payment."""
    bank = request.app[BANK]
    asked, now = await _read(request, NoticeAsked), bank.clock.now()
    kind = None if asked.kind == "true" else Kind(asked.kind)
    await _work_on(
        request,
        asked.number,
        lambda db, trade: desk.send_made_up(
            db, trade, bank.rules, kind=kind, amount_twd=asked.amount, now=now
        ),
    )
    return web.json_response({}, status=201)


async def deliver(request: web.Request) -> web.Response:
    """Send every notice that is due, and say what was answered."""
    return web.json_response(await request.app[BANK].sender.deliver())


async def show_clock(request: web.Request) -> web.Response:
    clock = request.app[BANK].clock
    at = datetime.fromtimestamp(clock.now(), UTC).isoformat()
    return web.json_response({"now": at, "ahead_seconds": clock.ahead_seconds})


async def set_clock(request: web.Request) -> web.Response:
    bank = request.app[BANK]
    asked = await _read(request, ClockAsked)
    if asked.now is not None:
        instant = asked.now.timestamp()
        await bank.do(lambda db: bank.clock.set_to(db, instant))
    else:
        await bank.do(lambda db: bank.clock.set_ahead(db, asked.ahead_seconds))
    return await show_clock(request)


async def _work_on(request: web.Request, code: str, work: Callable[[Connection, Trade], T]) -> T:
    def find_and_work(db: Connection) -> T:
        trade = trades.find_by_code(db, code)
        if trade is None:
            raise NotPossible(f"there is nothing to pay with {code}")
        return work(db, trade)

    try:
        return await request.app[BANK].do(find_and_work)
    except NotPossible as refused:
        raise web.HTTPConflict(text=f"{refused}\n") from refused


async def _read(request: web.Request, model: type[M]) -> M:
    """Read a body of JSON: what a form of another site cannot send."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="application/json, please\n")
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as wrong:
        raise web.HTTPUnprocessableEntity(text=f"{wrong}\n") from wrong


def _plain(order: Trade | payments.Payment) -> dict[str, Any]:
    return asdict(order)


ROUTES = [
    web.get("/control/captured", show_captured),
    web.get("/control/orders", show_orders),
    web.get("/control/notices", show_notices),
    web.post("/control/notices", send_made_up),
    web.post("/control/notices/delivery", deliver),
    web.get("/control/faults", show_faults),
    web.post("/control/faults", add_fault),
    web.delete("/control/faults", clear_faults),
    web.post("/control/payments", pay),
    web.post("/control/declines", decline),
    web.get("/control/clock", show_clock),
    web.put("/control/clock", set_clock),
]
