"""The sandbox's own signatures and check characters, held against published samples."""

import pytest

from deploy.sandbox.ecpay import slips
from deploy.sandbox.ecpay.mac import Merchant, check_mac_value
from deploy.sandbox.line_pay.signature import signature
from deploy.sandbox.rules import MERCHANTS

EMPTY = dict.fromkeys(
    ("StoreID", "CustomField1", "CustomField2", "CustomField3", "CustomField4"), ""
)
CASES = [
    (
        "3002607",
        {
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
        },
        "6C51C9E6888DE861FD62FB1DD17029FC742634498FD813DC43D4243B5685B840",
    ),
    (
        "3002607",
        {"MerchantID": "3002607", "ItemName": "Test~Product", "TotalAmount": "200"},
        "CEEAE01D2F9A8E74D4AC0DCE7735B046D73F35A5EC99558A31A2EE03159DA1C9",
    ),
    (
        "2000132",
        {
            **EMPTY,
            "Barcode1": "",
            "Barcode2": "",
            "Barcode3": "",
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
        },
        "C25373CE6379BB6116FAE8398F4A8E60B71B289D955F6B8A9D9F53FDCC97F571",
    ),
    (
        "2000132",
        {
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
        },
        "D574D29740EA822EB825FA02D6EDD3558403FCB66AB89F8D56F61EC61781FA11",
    ),
]


@pytest.mark.parametrize(("merchant", "fields", "expected"), CASES)
def test_the_check_value_is_the_published_one(
    merchant: str, fields: dict[str, str], expected: str
) -> None:
    keys = MERCHANTS[merchant]
    assert check_mac_value(fields, key=keys.key, iv=keys.iv) == expected
    reordered = dict(sorted(fields.items(), reverse=True))
    assert keys.sign(reordered)["CheckMacValue"] == expected


@pytest.mark.parametrize(
    "changed", [{"RtnMsg": "paid"}, {"CustomField1": "x"}, {"Extra": ""}, {"TradeAmt": "2001"}]
)
def test_a_signature_is_over_every_field_also_empty_ones(changed: dict[str, str]) -> None:
    merchant, fields, _ = MERCHANTS["2000132"], *CASES[2][1:]
    signed = merchant.sign(fields)
    assert merchant.has_signed(signed)
    assert not merchant.has_signed({**signed, **changed})
    assert not merchant.has_signed({n: v for n, v in signed.items() if n != "StoreID"})
    assert not merchant.has_signed(fields), "without a signature nothing is signed"


def test_a_signature_needs_the_right_keys_and_has_one_spelling() -> None:
    merchant = MERCHANTS["3002607"]
    signed = merchant.sign({"MerchantID": "3002607"})
    assert not Merchant("3002607", merchant.key, merchant.key).has_signed(signed)
    lower = {**signed, "CheckMacValue": signed["CheckMacValue"].lower()}
    assert not merchant.has_signed(lower)


def test_names_are_sorted_whatever_their_case() -> None:
    assert check_mac_value({"b": "1", "A": "2", "C": "3"}, key="k", iv="i") == check_mac_value(
        {"A": "2", "b": "1", "C": "3"}, key="k", iv="i"
    )


def test_line_pay_signs_the_bytes_that_were_sent() -> None:
    body = (
        b'{"amount": 1, "currency": "JPY", "orderId": "5383b36e-fe10-4767-b11b-81eefd1752fa", '
        b'"packages": [{"id": "package-999", "amount": 1, "name": "Sample package", "products": '
        b'[{"id": "product-001", "name": "Sample product", "quantity": 1, "price": 1}]}], '
        b'"redirectUrls": {"confirmUrl": "https://example.com/pay/confirm", '
        b'"cancelUrl": "https://example.com/pay/cancel"}}'
    )
    sample = {"path": "/v3/payments/request", "nonce": "021a6bb9-ed18-4562-b9bd-ad07a27532f6"}
    expected = "Rz5VEwPHChlQgN+dEmYWWbtWKw0XS41MblRB/dRdygE="
    assert signature(secret="fuga", payload=body, **sample) == expected
    squeezed = body.replace(b": ", b":")
    assert signature(secret="fuga", payload=squeezed, **sample) != expected


def test_a_slips_check_characters_are_the_known_ones() -> None:
    slip = ("1105036EA", "3453011539919569", "042677000001500")
    assert slips.check_characters(slip[0], slip[1], "0426000001500") == "77"
    assert slips.is_sound(*slip)


@pytest.mark.parametrize(
    ("third", "expected"),
    [
        ("0000000000000", "AX"),  # nothing at all
        ("0000000000009", "9X"),
        ("0000000000019", "91"),
        ("1000000000009", "BX"),  # 10
        ("0100000000090", "AY"),
    ],
)
def test_check_characters_of_ten_and_nought_are_letters(third: str, expected: str) -> None:
    assert slips.check_characters("0" * 9, "0" * 16, third) == expected


def test_a_misread_slip_is_noticed() -> None:
    first, second, third = "1105036EA", "3453011539919569", "042677000001500"
    assert not slips.is_sound("1105046EA", second, third)
    assert not slips.is_sound(first, second[:-1] + "8", third)
    assert not slips.is_sound(first, second, third[:-1] + "1")
    assert not slips.is_sound(first, second, third[:4] + "78" + third[6:])
    assert not slips.is_sound(first, second[:-1], third)
    assert not slips.is_sound("1105036ea", second, third)
