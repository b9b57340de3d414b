"""ECPay's codec, held against values that it published or really sent, and against chance."""

import hashlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments import ecpay
from services.payments.ecpay import NotUnderstood
from tests.payments import fuzz

ONE = {"key": "pwFHCqoQZGmho4w6", "iv": "EkRm7iFT261dpevs"}
OTHER = {"key": "5294y06JbISpM5x9", "iv": "v77hoKGq4kWxNNIS"}
EMPTY = dict.fromkeys(["StoreID", *(f"CustomField{n}" for n in range(1, 5))], "")
STORE_CODE = {
    **EMPTY,
    **dict.fromkeys(["Barcode1", "Barcode2", "Barcode3"], ""),
    "ExpireDate": "2017/12/28 00:39:03",
    "MerchantID": "2000132",
    "MerchantTradeNo": "Test1513787899",
    "PaymentNo": "LLL17355880822",
    "PaymentType": "CVS_CVS",
    "RtnCode": "10100073",
    "RtnMsg": "Get CVS Code Succeeded.",
    "TradeAmt": "2000",
    "TradeDate": "2017/12/21 00:39:03",
    "TradeNo": "17122100383415923452",
}
SLIP = {
    **EMPTY,
    "Barcode1": "1105036EA",
    "Barcode2": "3453011539919569",
    "Barcode3": "042677000001500",
    "ExpireDate": "2022/05/03 14:02:17",
    "MerchantID": "2000132",
    "MerchantTradeNo": "CK20220426401292",
    "PaymentType": "BARCODE_BARCODE",
    "RtnCode": "10100073",
    "RtnMsg": "Get CVS Code Succeeded.",
    "TradeAmt": "1500",
    "TradeDate": "2022/04/26 14:02:17",
    "TradeNo": "2204261401048597",
}
CHECKOUT = {
    "PaymentType": "aio",
    "ChoosePayment": "ALL",
    "EncryptType": "1",
    "TradeDesc": "促銷方案",
    "MerchantTradeDate": "2023/03/12 15:30:23",
    "MerchantTradeNo": "ecpay20230312153023",
    "MerchantID": "3002607",
    "ReturnURL": "https://www.ecpay.com.tw/receive.php",
    "ItemName": "Apple iphone 15",
    "TotalAmount": "30000",
}
TILDE = {"MerchantID": "3002607", "ItemName": "Test~Product", "TotalAmount": "200"}
SIGNED = [
    (ONE, CHECKOUT, "6C51C9E6888DE861FD62FB1DD17029FC742634498FD813DC43D4243B5685B840"),
    (ONE, TILDE, "CEEAE01D2F9A8E74D4AC0DCE7735B046D73F35A5EC99558A31A2EE03159DA1C9"),
    (OTHER, STORE_CODE, "C25373CE6379BB6116FAE8398F4A8E60B71B289D955F6B8A9D9F53FDCC97F571"),
    (OTHER, SLIP, "D574D29740EA822EB825FA02D6EDD3558403FCB66AB89F8D56F61EC61781FA11"),
]


@pytest.mark.parametrize(("keys", "fields", "mac"), SIGNED)
def test_a_signature_is_the_one_that_ecpay_makes(
    keys: dict[str, str], fields: dict[str, str], mac: str
) -> None:
    assert ecpay.check_mac_value(fields, **keys) == mac
    shuffled = dict(reversed(fields.items()))
    assert ecpay.check_mac_value({**shuffled, "CheckMacValue": "anything"}, **keys) == mac
    assert ecpay.is_signed({**fields, "CheckMacValue": mac}, **keys)
    assert not ecpay.is_signed({**fields, "CheckMacValue": mac.lower()}, **keys)
    assert not ecpay.is_signed(fields, **keys)


@pytest.mark.parametrize("name", ["TradeAmt", "RtnCode", "MerchantTradeNo", "StoreID", "Barcode3"])
def test_no_field_can_be_changed_added_or_left_out(name: str) -> None:
    _, fields, mac = SIGNED[3]
    whole = {**fields, "CheckMacValue": mac}
    without = {key: value for key, value in whole.items() if key != name}
    for changed in ({**whole, name: whole[name] + "0"}, without, {**whole, "more": ""}):
        assert not ecpay.is_signed(changed, **OTHER)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (" ", "+"), ("~", "%7e"), ("'", "%27"), ("-_.!*()", "-_.!*()"), ("+", "%2b"),
        ("%2d", "%252d"), ("é", "%c3%a9"), ("A", "a"), ("/:?&=", "%2f%3a%3f%26%3d"), ("", ""),
        ("客", "%e5%ae%a2"), ("😀", "%f0%9f%98%80"), ("\x7f\n", "%7f%0a"), ("@#$^", "%40%23%24%5e"),
    ],
)  # fmt: skip
def test_each_sign_is_encoded_as_dot_net_does(value: str, encoded: str) -> None:
    signed = f"hashkey%3dk%26a%3d{encoded}%26b%3d%26hashiv%3dv"
    expected = hashlib.sha256(signed.encode()).hexdigest().upper()
    assert ecpay.check_mac_value({"b": "", "A": value}, key="K", iv="V") == expected


def test_names_are_sorted_without_regard_to_case() -> None:
    assert ecpay.check_mac_value({"a_b": "1", "aB": "2", "AA": "3"}, **ONE) == (
        ecpay.check_mac_value({"AA": "3", "a_b": "1", "aB": "2"}, **ONE)
    )


@pytest.mark.parametrize(
    "body",
    [b"a=1&a=2", b"a=1&&b=2", b"a", b"\xff=1", b"a=%ff", b"a=%00", b"&".join([b"a=1"] * 200)],
)
def test_what_is_no_form_is_not_understood(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        ecpay.parse(body)


def test_a_form_is_read_with_its_empty_fields() -> None:
    assert ecpay.parse(urlencode(STORE_CODE).encode()) == STORE_CODE
    assert ecpay.parse(b"") == {}


def test_codes_accounts_and_slips_are_told_apart() -> None:
    assert ecpay.read_issued(STORE_CODE).instructions == {"code": "LLL17355880822"}
    slip = ecpay.read_issued(SLIP)
    assert slip.instructions == {
        "barcode1": "1105036EA", "barcode2": "3453011539919569", "barcode3": "042677000001500",
    }  # fmt: skip
    assert slip.expires_at.isoformat() == "2022-05-03T14:02:17+08:00"
    account = {
        **SLIP,
        "RtnCode": "2",
        "BankCode": "118",
        "vAccount": "7150032984129385",
        "ExpireDate": "2022/05/03",
    }
    issued = ecpay.read_issued(account)
    assert issued.instructions == {"bank": "118", "account": "7150032984129385"}
    assert issued.expires_at.isoformat() == "2022-05-04T00:00:00+08:00", "with its last day"


def test_secrets_are_masked_and_nothing_else_is() -> None:
    fields = {**SLIP, "CheckMacValue": "X", "card4no": "2222", "card6no": "", "ATMAccNo": "98765"}
    assert ecpay.masked(fields) == {
        **SLIP,
        **dict.fromkeys(["CheckMacValue", "card4no", "ATMAccNo"], "***"),
        "card6no": "",
    }


@given(fuzz.bodies)
def test_whatever_comes_is_read_or_not_understood(body: bytes) -> None:
    fuzz.read_notice(body)


@given(fuzz.fields)
def test_what_is_not_signed_is_not_accepted(fields: dict[str, str]) -> None:
    fuzz.forge_notice(fields)


@given(fuzz.spellings())
def test_a_notice_in_other_letters_is_the_same_money_or_none(
    drawn: tuple[dict[str, str], dict[str, str]],
) -> None:
    fuzz.respell_notice(drawn)


@given(fuzz.fields, st.text(max_size=20), st.text(max_size=20))
def test_two_keys_never_sign_alike(fields: dict[str, str], key: str, iv: str) -> None:
    fuzz.sign_with_two_keys(fields, key, iv)


@given(fuzz.answers)
def test_whatever_line_pay_answers_is_read_or_asked_for_again(answer: bytes) -> None:
    fuzz.read_line_pay(answer)
