"""Masks: what strangers wrote into a notice is shown without the numbers of people and cards."""

import re
from collections.abc import Mapping

# The protocol's own numbers, which look like cards' and are what one searches by.
OUR_NUMBERS = {
    *("MerchantTradeNo", "TradeNo", "MerchantID", "PaymentNo", "vAccount", "transactionId"),
    *("Barcode1", "Barcode2", "Barcode3", "gwsr", "orderId"),
}
_PERSONAL_NUMBER = re.compile(r"\b([A-Za-z][A-Da-d1289])[0-9]{5}([0-9]{3})\b")
_CARD = re.compile(r"\b[0-9](?:[ -]?[0-9]){8,14}((?:[ -]?[0-9]){4})\b")
LONGEST_SHOWN = 500


def show(fields: Mapping[str, str]) -> dict[str, str]:
    """Mask numbers of people, cards and accounts, wherever somebody put them."""
    return {
        name[:LONGEST_SHOWN]: value[:LONGEST_SHOWN] if name in OUR_NUMBERS else _mask(value)
        for name, value in sorted(fields.items())
    }


def _mask(value: str) -> str:
    masked = _PERSONAL_NUMBER.sub(r"\1*****\2", value[:LONGEST_SHOWN])
    return _CARD.sub(lambda card: f"{'*' * 12}{card[1].strip(' -')}", masked)
