"""The provider's daily file as tests write it."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.payments.money_lists import Money
from services.payments.rules import TAIPEI

HEADER = (
    *("交易日期", "綠界交易序號", "特店訂單編號", "ATM條碼", "交易金額", "付款方式", "付款結果"),
    *("付款日期", "款項來源", "通路費", "交易服務費率", "交易服務費金額", "應收款項(淨額)"),
    *("撥款狀態", "撥款日期", "備註"),
)
PAID = {
    "交易日期": "2026/05/04 09:00:00",
    "綠界交易序號": "2605040900000001",
    "特店訂單編號": "EH000000000000000001",
    "ATM條碼": "",
    "交易金額": "250",
    "付款方式": "ATM",
    "付款結果": "已付款",
    "付款日期": "2026/05/04 10:00:00",
    "款項來源": "綠界科技",
    "通路費": "0",
    "交易服務費率": "1.00%",
    "交易服務費金額": "15",
    "應收款項(淨額)": "235",
    "撥款狀態": "未撥款",
    "撥款日期": "",
    "備註": "",
}


def line(**changed: str) -> Mapping[str, str]:
    """A line of the file; `amount`, `fee` and `net` are the columns' short names."""
    short = {
        "amount": "交易金額",
        "fee": "交易服務費金額",
        "net": "應收款項(淨額)",
        "number": "綠界交易序號",
        "trade": "特店訂單編號",
        "paid": "付款日期",
        "result": "付款結果",
        "method": "付款方式",
    }
    return PAID | {short.get(name, name): value for name, value in changed.items()}


def of(money: Money, **changed: str) -> Mapping[str, str]:
    """The line of money that we know."""
    known = {
        "trade": money.trade_number,
        "number": money.provider_number,
        "amount": str(money.amount_twd),
        "net": str(money.amount_twd - 15),
        "paid": stamp(money.paid_at),
    }
    return line(**(known | changed))


def stamp(instant: datetime) -> str:
    return instant.astimezone(TAIPEI).strftime("%Y/%m/%d %H:%M:%S")


def rows(*lines: Mapping[str, str]) -> list[Sequence[str]]:
    return [HEADER, *([each[title] for title in HEADER] for each in lines)]


def write(*lines: Mapping[str, str], encoding: str = "cp950") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows(*lines))
    return out.getvalue().encode(encoding)
