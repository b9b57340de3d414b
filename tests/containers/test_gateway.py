"""What comes through the gateway, and what does not."""

import socket
import urllib.request
from urllib.parse import urlsplit

import pytest

from tests.containers.stack import SERVICES, Stack, Visitor, wait_for

pytestmark = pytest.mark.containers


def status_of(stack: Stack, target: str) -> int:
    """Ask for exactly this: a client library would tidy it up first."""
    address = urlsplit(stack.url)
    with socket.create_connection((address.hostname, address.port or 80), timeout=10) as connection:
        asked = f"GET {target} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(asked.encode())
        return int(connection.makefile().readline().split()[1])


@pytest.mark.parametrize("path", ["/", *(f"/{service}/" for service in SERVICES)])
def test_each_service_shows_its_first_page(stack: Stack, path: str) -> None:
    answer = stack.get(path)
    assert answer.status == 200
    assert '<main class="' in answer.text
    assert answer.headers["Server"] == "nginx"


def test_assets_are_kept_for_a_year(stack: Stack) -> None:
    page = stack.get("/").text
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = stack.get(style)
    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]


def test_pages_are_compressed(stack: Stack) -> None:
    asked = urllib.request.Request(f"{stack.url}/", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("name", ["metrics", "healthz", "readyz"])
@pytest.mark.parametrize(
    "target",
    [
        *("/{}", "//{}", "/{}/", "/{}?x", "/./{}", "/identity/../{}", "/static/../{}"),
        *("/identity/%2e%2e/{}", "/identity/..%2f{}", "/identity/..%5c{}"),
        *("/identity/%252e%252e/{}", "/identity/{}", "/enrollment/{}", "/identity//{}"),
        *("/identity/..;/{}", "/identity\\..\\{}"),
    ],
)
def test_what_is_for_operators_is_not_reached(stack: Stack, target: str, name: str) -> None:
    assert status_of(stack, target.format(name)) == 404
    encoded = f"%{ord(name[0]):x}{name[1:]}"
    assert status_of(stack, target.format(encoded)) == 404


@pytest.mark.parametrize("path", ["/nothing", "/sandbox/", "/api/", "/.git/config", "/index.php"])
def test_what_is_not_there_has_a_page_that_says_so(stack: Stack, path: str) -> None:
    answer = stack.get(path)
    assert answer.status == 404
    assert "找不到這個頁面" in answer.text
    assert "There is no such page" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_sandbox_is_another_site(stack: Stack) -> None:
    visitor = Visitor(stack.sandbox_url)
    for path in ("/", "/counter/", "/control/"):
        answer = visitor.get(path)
        assert (answer.status, answer.headers["Server"]) == (200, "nginx"), path
    assert visitor.get("/healthz").status == 404


def test_a_path_without_its_slash_leads_to_the_page(stack: Stack) -> None:
    answer = stack.get("/enrollment")
    assert (answer.status, answer.address) == (200, f"{stack.url}/enrollment/")


def test_too_large_a_file_is_refused_with_a_page(stack: Stack) -> None:
    answer = Visitor(stack.url).post("/identity/sign-in", email="x" * 4_200_000)
    assert answer.status == 413
    assert "檔案太大" in answer.text


def test_a_request_has_the_same_number_in_both_logs(stack: Stack) -> None:
    stack.get("/notify/?looking-for=this")
    told = stack.compose("logs", "--no-log-prefix", "--tail=50", "gateway").stdout
    line = [line for line in told.splitlines() if '"/notify/"' in line][-1]
    number = line.partition('"request_id":"')[2].partition('"')[0]
    assert len(number) == 32
    assert "looking-for" not in told
    assert number in stack.compose("logs", "--tail=50", "notify-web").stdout


def test_a_service_that_is_away_takes_no_other_with_it(mended: Stack) -> None:
    mended.compose("kill", "scoring-web")
    for path in ("/", "/identity/", "/enrollment/", "/payments/", "/notify/"):
        assert mended.get(path).status == 200
    for path in ("/scoring/", "/scoring/staff/"):
        answer = mended.get(path)
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        assert "服務暫時沒有回應" in answer.text
        assert "Not answering at the moment" in answer.text
    mended.bring_back()
    wait_for(lambda: mended.get("/scoring/").status == 200, "scoring is found again")


def test_pages_stay_while_the_broker_is_away(mended: Stack) -> None:
    mended.compose("stop", "rabbitmq")
    for service in SERVICES:
        assert mended.get(f"/{service}/").status == 200
