"""Limits: how often something may be done within a while; see shared/counters.py."""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from shared.counters import Limit
from shared.errors import Refused


class TooOften(Refused):
    """This was tried very often from here within a short time. Please try again in ten minutes."""

    status = 429
    retry_after_seconds = 600


# A school's or an office's whole network signs up in one lesson; a machine does it all night.
SIGN_UPS_BEFORE_PUZZLE = Limit("sign-ups before a puzzle", 5, timedelta(minutes=10))
SIGN_UPS = Limit("sign-ups", 200, timedelta(minutes=10))
# Letters one address can be made to receive by whoever types it.
LETTERS = Limit("letters", 5, timedelta(hours=1))
# Wrong passwords from one network over all accounts: beyond this it is guessing names, too.
WRONG_PASSWORDS = Limit("wrong passwords", 200, timedelta(minutes=10))


def network(address: str) -> str:
    """The network somebody comes from: one subscriber has a whole /64, or shares a /24."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    bits = 56 if isinstance(parsed, IPv6Address) else 24
    return str(ip_network(f"{parsed}/{bits}", strict=False))
