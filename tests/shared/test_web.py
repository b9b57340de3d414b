"""The door, the headers and the problem pages that every service has in common."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from services.notify.settings import Settings
from shared import guards
from shared.errors import Busy, Refused
from shared.observe import REQUEST_ID
from shared.security import BODY_LIMIT
from shared.web import Audience, Service, build
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[2]
PRIVATE = "A123456789"


class PlaceTaken(Refused):
    """Please sign in first."""  # any sentence with a Chinese version


async def answer(request: web.Request) -> web.Response:
    return web.json_response({"id": request[REQUEST_ID]})


async def echo_length(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


async def refuse(request: web.Request) -> web.Response:
    raise PlaceTaken


async def be_busy(request: web.Request) -> web.Response:
    raise Busy


async def lose_the_database(request: web.Request) -> web.Response:
    raise ConnectionRefusedError(f"could not connect as {PRIVATE}")


async def fail(request: web.Request) -> web.Response:
    raise ZeroDivisionError(PRIVATE)


ROUTES = [
    web.get("/answer", answer),
    web.post("/answer", answer),
    web.post("/length", echo_length),
    web.get("/refused", refuse),
    web.get("/busy", be_busy),
    web.get("/away", lose_the_database),
    web.get("/failed/{who}", fail),
]


def settings(database_url: str, **more: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
            "EXAMHALL_PUBLIC_URL": "https://exam.example",
            "smtp_url": "smtp://mail.exam.example",
            **more,
        }
    )


def service(configured: Settings) -> Service:
    return Service(
        "notify",
        configured,
        folder=ROOT / "services" / "notify",
        audiences=[
            Audience("/notify/staff/", ROUTES, guards.ANY_STAFF),
            Audience("/notify/mine/", ROUTES, guards.CANDIDATES),
            Audience("/notify/api/", ROUTES, guards.MACHINES),
            Audience("/notify/files/", ROUTES, guards.EVERYONE, body_limit=3 * BODY_LIMIT),
            Audience("/notify/", ROUTES, guards.EVERYONE),
        ],
    )


Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(make_database: MakeDatabase) -> AsyncIterator[Client]:
    app = build([service(settings(await make_database("notify")))])
    async with TestClient(TestServer(app)) as client:
        yield client


async def post(client: Client, path: str, data: bytes = b"", **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(path, data=data, headers=named)


async def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for path in ("/notify/answer", "/notify/refused", "/notify/failed/x", "/nowhere", "/healthz"):
        headers = (await client.get(path)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["Server"] == "examhall"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "https://exam.example"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "https://exam.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://exam.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "https://exam.example/notify/"}, 200),
        ({"Referer": "https://exam.example.evil.example/"}, 403),
        ({}, 403),
    ],
)
async def test_a_form_of_another_site_is_refused(
    client: Client, headers: dict[str, str], status: int
) -> None:
    assert (await post(client, "/notify/answer", b"", **headers)).status == status


async def test_a_machine_sends_no_such_headers_and_needs_none(client: Client) -> None:
    assert (await post(client, "/notify/api/answer")).status == 200


async def test_a_body_beyond_the_limit_of_its_audience_is_refused(client: Client) -> None:
    body, ours = b"x" * (BODY_LIMIT + 1), {"Sec_Fetch_Site": "same-origin"}
    assert (await post(client, "/notify/length", body, **ours)).status == 413
    allowed = await post(client, "/notify/files/length", body, **ours)
    assert await allowed.text() == str(len(body))
    assert (await post(client, "/notify/files/length", body * 3, **ours)).status == 413


async def test_a_refusal_is_a_page_in_the_language_of_its_reader(client: Client) -> None:
    chinese = await client.get("/notify/refused")
    english = await client.get("/notify/refused", headers={"Accept-Language": "en"})
    assert (chinese.status, english.status) == (409, 409)
    assert "請先登入。" in await chinese.text()
    assert "Please sign in first." in await english.text()


async def test_a_machine_gets_a_problem_document(client: Client) -> None:
    refused = await client.get("/notify/api/refused")
    assert (refused.status, refused.content_type) == (409, "application/problem+json")
    document = await refused.json()
    assert (document["title"], document["detail"]) == ("PlaceTaken", "Please sign in first.")
    failed = await client.get("/notify/api/failed/x")
    assert (await failed.json())["title"] == "Internal Server Error"


@pytest.mark.parametrize("path", ["/notify/busy", "/notify/away"])
async def test_busy_says_when_to_come_back(client: Client, path: str) -> None:
    busy = await client.get(path)
    assert busy.status == 503
    assert int(busy.headers["Retry-After"]) > 0


async def test_an_error_shows_no_trace_but_a_number_to_quote(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = await client.get("/notify/failed/someone")
    page = await failed.text()
    assert failed.status == 500
    assert PRIVATE not in page
    assert "Traceback" not in page
    request_id = (await (await client.get("/notify/answer")).json())["id"]
    assert len(request_id) == 32
    assert "ZeroDivisionError" in capsys.readouterr().out, "the log has what the page has not"


async def test_an_address_that_leads_nowhere_and_a_wrong_method_are_pages_too(
    client: Client,
) -> None:
    for path in ("/nowhere", "/notify/nowhere"):
        missing = await client.get(path)
        assert (missing.status, missing.content_type) == (404, "text/html")
    wrong = await client.get("/notify/length")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "POST")


async def test_the_canonical_line_has_the_route_and_nothing_personal(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    await client.get(f"/notify/failed/{PRIVATE}?id={PRIVATE}", headers={"Cookie": f"x={PRIVATE}"})
    lines = [line for line in capsys.readouterr().out.splitlines() if "[info" in line]
    assert len(lines) == 1, "one line a request"
    assert "route=/notify/failed/{who}" in lines[0]
    assert "status=500" in lines[0]
    assert PRIVATE not in lines[0]


async def test_only_the_gateway_may_name_a_request(make_database: MakeDatabase) -> None:
    database_url = await make_database("notify")
    for trusted, named in (("127.0.0.0/8", True), ("10.0.0.0/8", False), ("", False)):
        configured = settings(database_url, EXAMHALL_TRUSTED_PROXIES=trusted)
        async with TestClient(TestServer(build([service(configured)]))) as client:
            answer = await client.get("/notify/answer", headers={"X-Request-Id": "abc123"})
            assert ((await answer.json())["id"] == "abc123") is named


async def test_metrics_count_requests_by_route(client: Client) -> None:
    await client.get("/notify/failed/someone")
    text = await (await client.get("/metrics")).text()
    labels = 'method="GET",route="/notify/failed/{who}",service="notify",status="500"'
    assert f"examhall_request_seconds_count{{{labels}}}" in text


async def test_a_stranger_is_sent_to_sign_in_and_back(client: Client) -> None:
    for path in ("/notify/staff/answer", "/notify/mine/answer"):
        sent = await client.get(f"{path}?page=2", allow_redirects=False)
        assert sent.status == 303
        assert sent.headers["Location"] == f"/identity/sign-in?next={path}?page%3D2"
        refused = await post(client, path, Sec_Fetch_Site="same-origin")
        assert refused.status == 401, "what was typed is not thrown away by a redirect"


async def test_a_forged_session_is_no_session(client: Client) -> None:
    header = {"Cookie": "__Host-session=eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."}
    sent = await client.get("/notify/staff/answer", headers=header, allow_redirects=False)
    assert sent.headers["Location"].startswith("/identity/renewal?next=")
    assert (await client.get("/notify/api/answer", headers=header)).status == 200


async def test_ready_means_the_database_is_there_and_migrated(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database_url = await make_database("notify")
    ready = service(settings(database_url))
    behind = service(settings(database_url))
    behind.folder = tmp_path / "notify"
    shutil.copytree(ROOT / "services" / "notify", behind.folder)
    migrations = behind.folder / "migrations"
    newest = len(list(migrations.glob("*.sql"))) + 1
    (migrations / f"{newest:04}_more.sql").write_text("SELECT 1")
    away = service(settings("postgresql://nobody@127.0.0.1:1/none"))
    for candidate, status, words in (
        (ready, 200, "ready"),
        (behind, 503, "1 migrations to apply"),
        (away, 503, "notify: ConnectionRefusedError"),
    ):
        async with TestClient(TestServer(build([candidate]))) as client:
            answer = await client.get("/readyz")
            assert (answer.status, words in await answer.text()) == (status, True)
            assert (await client.get("/healthz")).status == 200, "alive all the same"
