"""The file with which ECPay tells a shop, day by day, what was paid, refunded and paid out.

How ECPay writes a refund is published nowhere; a row of its own with less than nothing is the
plainest there is.
"""

import csv
import io
from datetime import date, datetime, time, timedelta

from aiohttp import web

from deploy.sandbox.bank import BANK
from deploy.sandbox.clock import TAIPEI, in_taipei
from deploy.sandbox.ecpay import messages, trades
from deploy.sandbox.ecpay.trades import Trade
from deploy.sandbox.money import Refund

COLUMNS = (
    *("交易日期", "綠界交易序號", "特店訂單編號", "ATM條碼", "交易金額", "付款方式", "付款結果"),
    *("付款日期", "款項來源", "通路費", "交易服務費率", "交易服務費金額", "應收款項(淨額)"),
    *("撥款狀態", "撥款日期", "備註"),
)
METHODS = {"Credit": "信用卡", "ATM": "ATM", "CVS": "超商代碼", "BARCODE": "超商條碼"}
SOURCES = {
    "ibon": "統一超商",
    "family": "全家便利商店",
    "okmart": "OK超商",
    "hilife": "萊爾富",
    "": "綠界科技",
}
# Python's name for the Big5 that Windows writes.
ENCODINGS = {"utf-8": "utf-8-sig", "big5": "cp950"}
PAID_OUT_AFTER_DAYS = 10


async def download(request: web.Request) -> web.Response:
    """The file of one day, in Big5 as always, or in UTF-8 with a mark that says so."""
    bank = request.app[BANK]
    try:
        day = date.fromisoformat(request.match_info["day"])
        encoding = ENCODINGS[request.query.get("encoding", "big5")]
        first = next(iter(bank.rules.merchants))
        merchant = bank.rules.merchants[request.query.get("merchant", first)]
    except (ValueError, KeyError) as wrong:
        raise web.HTTPBadRequest(text=f"{wrong}\n") from wrong
    since = datetime.combine(day, time(), TAIPEI)
    now = bank.clock.now()
    start, end = since.timestamp(), (since + timedelta(days=1)).timestamp()
    paid, refunded = await bank.do(
        lambda db: (
            trades.list_paid_between(db, merchant.id, start, end, known_at=now),
            trades.list_refunded_between(db, merchant.id, start, end),
        )
    )
    name = f'attachment; filename="{merchant.id}_{day:%Y%m%d}.csv"'
    return web.Response(
        body=write(paid, refunded, now=now).encode(encoding, errors="replace"),
        content_type="text/csv",
        headers={"Content-Disposition": name},
    )


def write(paid: list[Trade], refunded: list[tuple[Trade, Refund]], *, now: float) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_row(trade, now) for trade in paid)
    writer.writerows(_refund_row(trade, refund, now) for trade, refund in refunded)
    return out.getvalue()


def _row(trade: Trade, now: float) -> list[str]:
    assert trade.paid_at is not None
    assert trade.paid_twd is not None
    fee = messages.fee(trade)
    is_fixed = trade.method in messages.FIXED_FEES
    return [
        _second(trade.opened_at),
        trade.trade_no,
        trade.number,
        "" if trade.method == "Credit" else trade.code or "",
        str(trade.paid_twd),
        METHODS[trade.method],
        "已付款",
        _second(trade.paid_at),
        SOURCES[trade.paid_from],
        str(fee if is_fixed else 0),
        "" if is_fixed else f"{messages.RATES[trade.method]:.2%}",
        str(0 if is_fixed else fee),
        str(trade.paid_twd - fee),
        *_paid_out(trade.paid_at, now),
        "",
    ]


def _refund_row(trade: Trade, refund: Refund, now: float) -> list[str]:
    """Money that went back. Fees do not, so all of it is taken from what is paid out."""
    return [
        _second(trade.opened_at),
        trade.trade_no,
        trade.number,
        "" if trade.method == "Credit" else trade.code or "",
        str(-refund.amount_twd),
        METHODS[trade.method],
        "已退款",
        _second(refund.at),
        SOURCES[""],
        "0",
        "",
        "0",
        str(-refund.amount_twd),
        *_paid_out(refund.at, now),
        "退款",
    ]


def _paid_out(instant: float, now: float) -> list[str]:
    """Whether what moved then is paid out by now, and on which day."""
    paid_out = in_taipei(instant) + timedelta(days=PAID_OUT_AFTER_DAYS)
    is_paid_out = paid_out.timestamp() <= now
    return ["已撥款", f"{paid_out:%Y/%m/%d}"] if is_paid_out else ["未撥款", ""]


def _second(instant: float) -> str:
    return f"{in_taipei(instant):%Y/%m/%d %H:%M:%S}"


ROUTES = [web.get("/ecpay/settlement/{day}.csv", download)]
