"""What a shop may ask ECPay's cashier for, and every way in which it can be wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from multidict import MultiMapping

from deploy.sandbox.clock import TAIPEI, in_taipei
from deploy.sandbox.ecpay.mac import NAME, Merchant

TRADE_NUMBER = re.compile(r"[A-Za-z0-9]{1,20}")
SECOND = "%Y/%m/%d %H:%M:%S"
DIGITS = re.compile(r"[1-9]\d{0,7}")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
MARKUP = re.compile(r"<[a-zA-Z/!]")
# ECPay's firewall turns these away wherever they stand.
FIREWALL = re.compile(r"python|curl|wget|bash|powershell|cmd\.exe|<script", re.IGNORECASE)

LIMITS = {"Credit": (1, 199_999), "ATM": (11, 49_999), "CVS": (33, 6_000), "BARCODE": (17, 20_000)}
REQUIRED = {
    *("MerchantID", "MerchantTradeNo", "MerchantTradeDate", "PaymentType", "TotalAmount"),
    *("TradeDesc", "ItemName", "ReturnURL", "ChoosePayment", "EncryptType", NAME),
}
CUSTOM = ("CustomField1", "CustomField2", "CustomField3", "CustomField4")
OPTIONAL = {
    *("ClientBackURL", "StoreID", "Language", "NeedExtraPaidInfo", "Remark", "ItemURL"),
    *CUSTOM,
}
OF_METHOD = {
    "Credit": {"OrderResultURL"},
    "ATM": {"ExpireDate", "PaymentInfoURL", "ClientRedirectURL"},
    "CVS": {
        *("StoreExpireDate", "PaymentInfoURL", "ClientRedirectURL"),
        *("Desc_1", "Desc_2", "Desc_3", "Desc_4"),
    },
    "BARCODE": {"StoreExpireDate", "PaymentInfoURL", "ClientRedirectURL"},
}
LONGEST = {
    "TradeDesc": 200,
    "ItemName": 400,
    "ReturnURL": 200,
    "ClientBackURL": 200,
    "OrderResultURL": 200,
    "PaymentInfoURL": 200,
    "ClientRedirectURL": 200,
    "ItemURL": 200,
    "Remark": 100,
    "StoreID": 20,
    "MerchantTradeNo": 20,
    "MerchantID": 10,
    **dict.fromkeys(CUSTOM, 50),
    **{f"Desc_{n}": 20 for n in range(1, 5)},
}
ADDRESSES = ("ReturnURL", "ClientBackURL", "OrderResultURL", "PaymentInfoURL", "ClientRedirectURL")
DIFFERENT = ("ReturnURL", "ClientBackURL", "OrderResultURL")
LANGUAGES = {"ENG", "KOR", "JPN", "CHI"}
MOST_STORE_MINUTES = 43_200
WEEK_IN_MINUTES = 10_080


class Refused(Exception):
    """ECPay shows this instead of its cashier; the code is empty where none is known."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})" if code else message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Order:
    """A form that was found to be in order."""

    merchant: str
    number: str
    method: str
    amount_twd: int
    form: Mapping[str, str]

    def expires_at(self, issued_at: float) -> float:
        """Until when the code, the account or the slip can be paid."""
        issued = in_taipei(issued_at)
        if self.method == "ATM":
            last = issued.date() + timedelta(days=int(self.form.get("ExpireDate") or 3))
            midnight = datetime(last.year, last.month, last.day, tzinfo=TAIPEI) + timedelta(days=1)
            return midnight.timestamp() - 1
        if self.method == "CVS":
            minutes = int(self.form.get("StoreExpireDate") or WEEK_IN_MINUTES)
            return issued_at + minutes * 60
        return issued_at + int(self.form.get("StoreExpireDate") or 7) * 24 * 3600


def read(posted: MultiMapping[str], merchants: Mapping[str, Merchant]) -> Order:
    """Check a form as ECPay would, the signature before all that could depend on it."""
    form = dict(posted)
    if len(form) < len(posted):
        raise Refused("", "A field is given more than once.")
    merchant = merchants.get(form.get("MerchantID", ""))
    if merchant is None:
        raise Refused("10200051", "MerchantID Error.")
    if form.get("EncryptType") != "1":
        raise Refused("", "EncryptType must be 1: SHA-256 is the only way to sign.")
    if not merchant.has_signed(form):
        raise Refused("10200073", "CheckMacValue Error.")
    for name, value in form.items():
        if FIREWALL.search(value):
            raise Refused("", f"The firewall turned the request away because of {name}.")
    method = form.get("ChoosePayment", "")
    if method not in LIMITS:
        raise Refused("10200141", "ChoosePayment: the shop offers Credit, ATM, CVS and BARCODE.")
    _check_names(form, method)
    for name, value in form.items():
        _check_text(name, value)
    for check in (_check_number, _check_date, _check_kind, _check_addresses, _check_expiry):
        check(form, method)
    amount = _read_amount(form["TotalAmount"], method)
    return Order(merchant.id, form["MerchantTradeNo"], method, amount, form)


def _check_names(form: Mapping[str, str], method: str) -> None:
    missing = sorted(name for name in REQUIRED if not form.get(name))
    if missing:
        raise Refused("", f"{', '.join(missing)} must be given.")
    strange = sorted(set(form) - REQUIRED - OPTIONAL - OF_METHOD[method])
    if strange:
        raise Refused("", f"{', '.join(strange)} means nothing with {method}.")


def _check_text(name: str, value: str) -> None:
    if len(value) > LONGEST.get(name, 100):
        raise Refused("", f"{name} is longer than {LONGEST.get(name, 100)}.")
    if CONTROL_CHARACTERS.search(value) or MARKUP.search(value):
        raise Refused("", f"{name} holds characters that are not allowed.")


def _check_number(form: Mapping[str, str], _method: str) -> None:
    if not TRADE_NUMBER.fullmatch(form["MerchantTradeNo"]):
        raise Refused("10200052", "MerchantTradeNo Error.")


def _check_date(form: Mapping[str, str], _method: str) -> None:
    given = form["MerchantTradeDate"]
    try:
        # what is not padded with zeros would be read as well, but does not come out the same
        again = datetime.strptime(given, SECOND).replace(tzinfo=TAIPEI).strftime(SECOND)
    except ValueError:
        again = ""
    if again != given:
        raise Refused("", "MerchantTradeDate must be yyyy/MM/dd HH:mm:ss.")


def _check_kind(form: Mapping[str, str], _method: str) -> None:
    if form["PaymentType"] != "aio":
        raise Refused("", "PaymentType must be aio.")
    if form.get("Language") and form["Language"] not in LANGUAGES:
        raise Refused("", "Language must be ENG, KOR, JPN or CHI.")
    if form.get("NeedExtraPaidInfo", "N") not in {"Y", "N"}:
        raise Refused("", "NeedExtraPaidInfo must be Y or N.")


def _check_addresses(form: Mapping[str, str], _method: str) -> None:
    for name in ADDRESSES:
        address = form.get(name)
        if address and not is_address(address):
            raise Refused("", f"{name} must be an address on the web.")
    named = [form[name] for name in DIFFERENT if form.get(name)]
    if len(set(named)) < len(named):
        raise Refused("", "ReturnURL, ClientBackURL and OrderResultURL must not be the same.")


def _check_expiry(form: Mapping[str, str], method: str) -> None:
    bounds = {"ATM": ("ExpireDate", 60), "CVS": ("StoreExpireDate", MOST_STORE_MINUTES)}
    name, most = bounds.get(method, ("StoreExpireDate", 30))
    given = form.get(name, "")
    if given and not (DIGITS.fullmatch(given) and int(given) <= most):
        unit = "minutes" if method == "CVS" else "days"
        raise Refused("", f"{name} must be a number of {unit} from 1 to {most}.")


def _read_amount(given: str, method: str) -> int:
    least, most = LIMITS[method]
    if not DIGITS.fullmatch(given) or not least <= int(given) <= most:
        raise Refused("", f"TotalAmount must be a number from {least} to {most} with {method}.")
    return int(given)


def is_address(text: str) -> bool:
    """Whether this is an http address that a browser or a server can be sent to."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
