"""Who really sent a request that came through the gateway."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

TRUSTED_PROXIES: web.AppKey[tuple[IPv4Network | IPv6Network, ...]] = web.AppKey(
    "trusted_proxies", tuple
)


def is_from_gateway(request: web.Request) -> bool:
    """Tell whether the other end of the connection is a proxy whose headers are believed."""
    return _is_trusted(request.remote or "", request.app[TRUSTED_PROXIES])


def client_address(request: web.Request) -> str:
    """The address that talks to our outermost proxy: what came before it may be invented."""
    trusted = request.app[TRUSTED_PROXIES]
    address = request.remote or ""
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    while hops and _is_trusted(address, trusted):
        address = hops.pop().strip() or address
    return address


@lru_cache(maxsize=10_000)
def _is_trusted(address: str, trusted: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)
