"""Somebody signs in at one service and is known at the others: the events come through."""

import secrets
import shutil
import subprocess

import pytest
from playwright.async_api import async_playwright

from tests.containers.stack import ROOT, Stack, Visitor, wait_for

pytestmark = pytest.mark.containers

NAME = "林雅婷"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@pytest.fixture(scope="module")
def registrar(stack: Stack) -> tuple[str, str]:
    """A member of staff, added as an operator does it."""
    email = f"registrar-{secrets.token_hex(4)}@examhall.example"
    password = secrets.token_urlsafe(12)
    command = ["python", "-m", "services.identity.app", "staff", "add", email, "--name", NAME]
    added = subprocess.run(
        [
            *("docker", "compose", "-p", stack.project, "exec", "-T", "identity-web"),
            *command,
            *("--role", "registrar", "--password-from-stdin"),
        ],
        cwd=ROOT,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert added.returncode == 0, added.stderr
    return email, password


def test_who_signs_in_is_known_to_another_service(stack: Stack, registrar: tuple[str, str]) -> None:
    visitor = Visitor(stack.url)
    assert visitor.sign_in(*registrar).status == 200

    def is_known() -> bool:
        answer = visitor.get("/enrollment/staff/")
        return answer.status == 200 and NAME in answer.text

    wait_for(is_known, "enrollment has heard of the key that signs sessions")
    assert visitor.get("/payments/staff/").status == 403


def test_who_signs_out_is_forgotten_by_the_others(stack: Stack, registrar: tuple[str, str]) -> None:
    visitor, thief = Visitor(stack.url), Visitor(stack.url)
    visitor.sign_in(*registrar)
    wait_for(lambda: visitor.get("/enrollment/staff/").status == 200, "enrollment knows the key")
    for cookie in visitor.cookies:
        thief.cookies.set_cookie(cookie)
    assert visitor.post("/identity/sign-out").status == 200

    def is_forgotten() -> bool:
        return "/identity/sign-in" in thief.get("/enrollment/staff/").address

    wait_for(is_forgotten, "enrollment has heard that the session is over")


async def test_signing_in_with_a_real_browser(stack: Stack, registrar: tuple[str, str]) -> None:
    assert CHROMIUM, "the container lane needs a Chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        context = await browser.new_context(locale="en-GB")
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda told: complaints.append(told.text))
        await page.goto(f"{stack.url}/enrollment/staff/")
        assert page.url.startswith(f"{stack.url}/identity/sign-in")
        await page.fill("[name=email]", registrar[0])
        await page.fill("[name=password]", registrar[1])
        await page.click("main button[type=submit]")
        await page.wait_for_url(f"{stack.url}/enrollment/staff/")
        assert NAME in await page.inner_text("header")
        for path in ("/", "/identity/", "/enrollment/", "/payments/", "/scoring/", "/notify/"):
            answer = await page.goto(f"{stack.url}{path}")
            assert answer is not None
            assert answer.status == 200
            assert NAME in await page.inner_text("header"), path
        answer = await page.goto(f"{stack.url}/metrics")
        assert answer is not None
        assert answer.status == 404
        assert await page.evaluate("getComputedStyle(document.body).maxWidth") != "none"
        assert [told for told in complaints if "404" not in told] == []
        await browser.close()
