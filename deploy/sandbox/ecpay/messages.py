"""What ECPay says about a trade: in notices, to browsers, and when it is asked."""

from collections.abc import Mapping

from deploy.sandbox.clock import in_taipei
from deploy.sandbox.ecpay.orders import CUSTOM
from deploy.sandbox.ecpay.trades import Trade

PAID = "1"
ACCOUNT_ISSUED = "2"
CODE_ISSUED = "10100073"
DECLINED = "10100248"
NOT_PAID = "0"
NEVER_ESTABLISHED = "10200095"
NOT_FOUND = "10200047"
# What ECPay keeps, by method: a share of the amount, or so much each time.
RATES = {"Credit": 0.0275, "ATM": 0.01}
FIXED_FEES = {"CVS": 30, "BARCODE": 20}
LEAST_FEE = {"Credit": 5, "ATM": 15}
# All that comes with NeedExtraPaidInfo=Y; what does not belong to the method is empty or 0.
EXTRA = {
    "WebATMAccBank": "",
    "WebATMAccNo": "",
    "WebATMBankName": "",
    "ATMAccBank": "",
    "ATMAccNo": "",
    "PaymentNo": "",
    "PayFrom": "",
    "gwsr": "0",
    "process_date": "",
    "auth_code": "",
    "amount": "0",
    "stage": "0",
    "stast": "0",
    "staed": "0",
    "eci": "0",
    "card4no": "",
    "card6no": "",
    "red_dan": "0",
    "red_de_amt": "0",
    "red_ok_amt": "0",
    "red_yet": "0",
    "PeriodType": "",
    "Frequency": "",
    "ExecTimes": "",
    "PeriodAmount": "",
    "TotalSuccessTimes": "",
    "TotalSuccessAmount": "",
}


def issued(trade: Trade) -> dict[str, str]:
    """Tell that a code, an account or a slip exists, which is not to say that it was paid."""
    assert trade.code is not None
    assert trade.expires_at is not None
    told = {
        **_named(trade),
        "RtnCode": CODE_ISSUED,
        "RtnMsg": "Get CVS Code Succeeded.",
        "TradeNo": trade.trade_no,
        "TradeAmt": str(trade.amount_twd),
        "PaymentType": trade.payment_type,
        "TradeDate": _second(trade.opened_at),
        **_custom(trade),
    }
    until = in_taipei(trade.expires_at)
    if trade.method == "ATM":
        return told | {
            "RtnCode": ACCOUNT_ISSUED,
            "RtnMsg": "Get VirtualAccount Succeeded",
            "BankCode": trade.bank_code,
            "vAccount": trade.code,
            "ExpireDate": f"{until:%Y/%m/%d}",
        }
    is_slip = trade.method == "BARCODE"
    return told | {
        "PaymentNo": "" if is_slip else trade.code,
        "ExpireDate": f"{until:%Y/%m/%d %H:%M:%S}",
        "Barcode1": trade.barcode1,
        "Barcode2": trade.code if is_slip else "",
        "Barcode3": trade.barcode3,
    }


def paid(
    trade: Trade, *, simulated: bool = False, message: str = "交易成功", now: float
) -> dict[str, str]:
    """Tell the outcome: paid, or with another code than 1 that a card was declined."""
    is_paid = trade.declined_at is None
    told = {
        **_named(trade),
        "RtnCode": PAID if is_paid else DECLINED,
        "RtnMsg": message if is_paid else "拒絕交易(Declined)",
        "TradeNo": trade.trade_no,
        "TradeAmt": str(trade.paid_twd or trade.amount_twd),
        "PaymentDate": _second(trade.paid_at or trade.declined_at or now),
        "PaymentType": trade.payment_type,
        "PaymentTypeChargeFee": str(fee(trade)),
        "TradeDate": _second(trade.opened_at),
        "SimulatePaid": "1" if simulated else "0",
        **_custom(trade),
    }
    if trade.form.get("NeedExtraPaidInfo") == "Y":
        told |= _extra(trade)
    return told


def status(trade: Trade, *, now: float) -> dict[str, str]:
    """Answer QueryTradeInfo."""
    is_paid = trade.is_known_as_paid(now)
    if is_paid:
        state = PAID
    elif trade.issued_at or trade.paid_at or trade.is_open(now):
        state = NOT_PAID
    else:
        state = NEVER_ESTABLISHED
    return {
        **_named(trade),
        "TradeNo": trade.trade_no,
        "TradeAmt": str((is_paid and trade.paid_twd) or trade.amount_twd),
        "PaymentDate": _second(trade.paid_at) if is_paid and trade.paid_at else "",
        "PaymentType": trade.payment_type,
        "HandlingCharge": str(fee(trade)),
        "PaymentTypeChargeFee": str(fee(trade)),
        "TradeDate": _second(trade.opened_at),
        "TradeStatus": state,
        "ItemName": trade.form["ItemName"],
        **_custom(trade),
    }


def not_found(merchant: str, number: str) -> dict[str, str]:
    """Answer QueryTradeInfo about a number that was never used."""
    names = ("TradeNo", "PaymentDate", "PaymentType", "TradeDate", "ItemName", "StoreID", *CUSTOM)
    return {
        "MerchantID": merchant,
        "MerchantTradeNo": number,
        **dict.fromkeys(names, ""),
        **dict.fromkeys(("TradeAmt", "HandlingCharge", "PaymentTypeChargeFee"), "0"),
        "TradeStatus": NOT_FOUND,
    }


def fee(trade: Trade) -> int:
    amount = trade.paid_twd or trade.amount_twd
    if trade.method in FIXED_FEES:
        return FIXED_FEES[trade.method]
    return max(round(amount * RATES[trade.method]), LEAST_FEE[trade.method])


def _extra(trade: Trade) -> dict[str, str]:
    told = dict(EXTRA)
    if trade.method == "Credit":
        told |= {
            "gwsr": trade.trade_no[-8:].lstrip("0") or "1",
            "process_date": _second(trade.paid_at or trade.declined_at or trade.opened_at),
            "auth_code": "777777",
            "amount": str(trade.paid_twd or trade.amount_twd),
            "card4no": "2222",
            "card6no": "431195",
        }
    elif trade.method == "ATM":
        told |= {"ATMAccBank": "013", "ATMAccNo": "98765"}
    else:
        told |= {"PaymentNo": trade.code or "", "PayFrom": trade.paid_from}
    return told


def _named(trade: Trade) -> dict[str, str]:
    return {
        "MerchantID": trade.merchant,
        "MerchantTradeNo": trade.number,
        "StoreID": trade.form.get("StoreID", ""),
    }


def _custom(trade: Trade) -> Mapping[str, str]:
    return {name: trade.form.get(name, "") for name in CUSTOM}


def _second(instant: float) -> str:
    return f"{in_taipei(instant):%Y/%m/%d %H:%M:%S}"
