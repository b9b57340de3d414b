"""The store counter: what is waiting to be paid, and a till that takes the money."""

from collections.abc import Mapping
from sqlite3 import Connection

from aiohttp import web

from deploy.sandbox.bank import BANK
from deploy.sandbox.ecpay import desk, slips, trades
from deploy.sandbox.ecpay.trades import KIOSKS, NotPossible, Trade
from deploy.sandbox.pages import page, read_form, refuse_other_sites, see_other

PLACES = {
    "ibon": "7-ELEVEN ibon",
    "family": "全家 FamiPort",
    "okmart": "OK mart OK·go",
    "hilife": "萊爾富 Life-ET",
}
SEGMENTS = 3
NOTHING_TYPED: Mapping[str, str] = {}


async def show(request: web.Request) -> web.Response:
    """List what can be paid now."""
    return await _show(request)


async def pay(request: web.Request) -> web.Response:
    """Take the money for the code that was typed or scanned."""
    bank = request.app[BANK]
    refuse_other_sites(request, bank.url)
    form = await read_form(request)
    code, amount = form.get("code", "").strip(), form.get("amount", "").strip()
    # a scanner may hand the start and stop characters on
    scanned = code.upper().replace("*", " ").split()
    now = bank.clock.now()

    def work(db: Connection) -> Trade:
        if len(scanned) == SEGMENTS and not slips.is_sound(*scanned):
            raise NotPossible("條碼讀取錯誤，請再刷一次。 The barcodes were misread.")
        trade = trades.find_by_code(db, " ".join(scanned))
        if trade is None or trade.method == "Credit":
            raise NotPossible("查無此代碼。 There is nothing to pay with this code.")
        if amount and not amount.isdecimal():
            raise NotPossible("請輸入整數金額。 Enter a whole number of dollars.")
        return desk.pay(
            db,
            trade,
            bank.rules,
            amount_twd=int(amount[:9]) if amount else None,
            paid_from=form.get("place", KIOSKS[0]),
            now=now,
        )

    try:
        paid = await bank.do(work)
    except NotPossible as refused:
        return await _show(request, status=422, typed=form, fault=str(refused))
    return see_other(f"/counter/receipts/{paid.trade_no}")


async def show_receipt(request: web.Request) -> web.Response:
    trade_no = request.match_info["trade_no"]
    trade = await request.app[BANK].do(lambda db: trades.find(db, trade_no))
    if trade is None:
        raise web.HTTPNotFound
    return page("counter_receipt.html", trade=trade, places=PLACES)


async def _show(
    request: web.Request,
    *,
    status: int = 200,
    typed: Mapping[str, str] = NOTHING_TYPED,
    fault: str = "",
) -> web.Response:
    bank = request.app[BANK]
    now = bank.clock.now()
    payable = await bank.do(lambda db: trades.list_payable(db, now=now))
    return page(
        "counter.html",
        status=status,
        payable=payable,
        places=PLACES,
        typed=typed,
        fault=fault,
    )


ROUTES = [
    web.get("/counter/", show),
    web.post("/counter/", pay),
    web.get(r"/counter/receipts/{trade_no:\d{20}}", show_receipt),
]
