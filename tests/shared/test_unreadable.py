"""What cannot be read is the sender's fault: no error of ours, no trace, and no alarm."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.identity.tries import _digest
from shared import guards
from shared.logs import _ToStructlog
from shared.web import Audience, Service, build
from tests.conftest import MakeDatabase
from tests.eventually import eventually
from tests.shared.test_web import ROOT, settings

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"
OURS = {"Sec-Fetch-Site": "same-origin"}


async def read_form(request: web.Request) -> web.Response:
    posted = await request.post()
    return web.Response(text=json.dumps([*posted]))


async def read_body(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


async def echo(request: web.Request) -> web.Response:
    return web.Response(text=str((await request.post())["name"]))


async def look_at_cookie(request: web.Request) -> web.Response:
    return web.Response(text=_digest(request.cookies.get("device", "")))


ROUTES = [
    web.post("/form", read_form),
    web.post("/body", read_body),
    web.post("/echo", echo),
    web.get("/cookie", look_at_cookie),
]

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(make_database: MakeDatabase) -> AsyncIterator[Client]:
    service = Service(
        "notify",
        settings(await make_database("notify")),
        folder=ROOT / "services" / "notify",
        audiences=[
            Audience("/notify/api/", ROUTES, guards.MACHINES),
            Audience("/notify/", ROUTES, guards.EVERYONE),
        ],
    )
    async with TestClient(TestServer(build([service]))) as client:
        yield client


def part(headers: bytes, content: bytes = b"x") -> bytes:
    return b"--b\r\n" + headers + b"\r\n\r\n" + content + b"\r\n--b--\r\n"


async def ask(client: Client, head: bytes) -> int:
    """Send what no client of good manners would, and return the status of the answer."""
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    writer.write(head + b"\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1])


NAMED = b'Content-Disposition: form-data; name="name"'


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (f"{FORM}; charset=bogus", b"name=x"),
        (f"{FORM}; charset=base64", b"name=x"),
        (f"{FORM}; charset=undefined", b"name=x"),
        (f"{FORM}; charset=punycode", b"name=x"),
        ("multipart/form-data", b"x"),
        (f"multipart/form-data; boundary={'b' * 200}", b"x"),
        (PARTS, b"no parts at all"),
        (PARTS, b"--b\r\n" + NAMED + b"\r\n\r\nno end"),
        (PARTS, part(b"Content-Disposition: form-data")),
        (PARTS, part(NAMED, b"\xff\xfe")),
        (PARTS, part(NAMED + b"\r\nContent-Type: text/plain; charset=bogus")),
        (PARTS, part(NAMED + b"\r\nContent-Type: multipart/mixed; boundary=c", b"--c--")),
        (PARTS, part(NAMED + b"\r\nContent-Transfer-Encoding: foo")),
        (PARTS, part(b'Content-Disposition: form-data; name="a\0b"')),
        (PARTS, part(b'Content-Disposition: form-data; name="_charset_"', b"b" * 60)),
    ],
)
async def test_a_form_that_cannot_be_read_is_a_bad_request(
    client: Client, capsys: pytest.CaptureFixture[str], media_type: str, body: bytes
) -> None:
    headers = {**OURS, "Content-Type": media_type}
    answer = await client.post("/notify/form", data=body, headers=headers)
    assert answer.status == 400
    assert "系統無法讀取送出的內容" in await answer.text()
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize("path", ["/notify/form", "/notify/body", "/notify/api/body"])
async def test_a_body_that_is_not_packed_as_it_says_is_a_bad_request(
    client: Client, path: str
) -> None:
    headers = {**OURS, "Content-Type": FORM, "Content-Encoding": "gzip"}
    assert (await client.post(path, data=b"name=x", headers=headers)).status == 400


async def test_half_a_letter_is_a_bad_request_wherever_it_comes_from(client: Client) -> None:
    headers = {**OURS, "Content-Type": f"{FORM}; charset=raw_unicode_escape"}
    answer = await client.post("/notify/echo", data=b"name=\\ud800", headers=headers)
    assert answer.status == 400
    head = b"GET /notify/cookie HTTP/1.1\r\nHost: x\r\nCookie: device=\xff\xfe"
    assert await ask(client, head) == 400


async def test_whoever_goes_away_while_sending_raises_no_alarm(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    host, port = client.server.host, client.server.port
    _, writer = await asyncio.open_connection(host, port)
    head = f"POST /notify/form HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: none\r\nContent-Type: {FORM}"
    writer.write(f"{head}\r\nContent-Length: 100\r\n\r\nname=".encode())
    await writer.drain()
    await client.get("/notify/cookie")  # by now its request is being read
    writer.close()
    await writer.wait_closed()
    logged = list[str]()

    def is_logged() -> bool:
        logged.append(capsys.readouterr().out)
        return "route=/notify/form" in "".join(logged)

    await eventually(is_logged)
    assert "database unavailable" not in "".join(logged)


@pytest.mark.parametrize("line", ["OPTIONS *", "CONNECT nowhere:1"])
async def test_what_names_no_path_of_ours_is_told_so(client: Client, line: str) -> None:
    assert await ask(client, f"{line} HTTP/1.1\r\nHost: x".encode()) == 404


async def test_what_is_no_request_leaves_a_line_without_a_trace_or_what_it_held(
    client: Client,
) -> None:
    handler = _ToStructlog()
    with structlog.testing.capture_logs() as lines:
        logger = logging.getLogger("aiohttp.server")
        logger.addHandler(handler)
        try:
            long = b"GET /" + b"A123456789" * 900 + b" HTTP/1.1\r\nHost: x"
            assert await ask(client, long) == 400
        finally:
            logger.removeHandler(handler)
    [line] = lines
    assert (line["log_level"], line["event"]) == ("info", "request not understood")
    assert "A123456789" not in str(line)
