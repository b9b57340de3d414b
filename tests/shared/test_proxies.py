"""Who really sent a request, when proxies stand between."""

from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from shared.proxies import TRUSTED_PROXIES, client_address


@pytest.mark.parametrize(
    ("trusted", "forwarded", "sender"),
    [
        ([], "203.0.113.9", "127.0.0.1"),
        (["127.0.0.0/8"], None, "127.0.0.1"),
        (["127.0.0.0/8"], "203.0.113.9", "203.0.113.9"),
        (["127.0.0.0/8"], "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (["127.0.0.0/8", "10.0.0.0/8"], "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        (["127.0.0.0/8"], "", "127.0.0.1"),
    ],
)
async def test_only_what_our_own_proxies_saw_is_believed(
    trusted: list[str], forwarded: str | None, sender: str
) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=client_address(request))

    app = web.Application()
    app[TRUSTED_PROXIES] = tuple(ip_network(network) for network in trusted)
    app.router.add_get("/", tell)
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        assert await (await client.get("/", headers=headers)).text() == sender
