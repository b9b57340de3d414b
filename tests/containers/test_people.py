"""Somebody signs in at one service and is known at the others: the events come through."""

import json
from functools import partial

import pytest

from tests.browsers import open_browser
from tests.containers.stack import SERVICES, Stack, Visitor, wait_for

pytestmark = [pytest.mark.containers, pytest.mark.browser]

NAME = "陳小明"


@pytest.fixture(scope="module")
def candidate(stack: Stack) -> tuple[str, str]:
    """The candidate among the accounts to look around with."""
    loaded = stack.compose("run", "--rm", "-T", "migrate", "deploy.all_in_one", "demo").stdout
    people = [json.loads(line) for line in loaded.splitlines() if line.startswith("{")]
    (person,) = [one for one in people if one.get("who") == "candidate"]
    return person["email"], person["password"]


def knows(visitor: Visitor, service: str) -> bool:
    return NAME in visitor.get(f"/{service}/").text


def test_who_signs_in_is_known_to_every_service(stack: Stack, candidate: tuple[str, str]) -> None:
    visitor = Visitor(stack.url)
    assert not knows(visitor, "enrollment")
    assert visitor.sign_in(*candidate).status == 200
    for service in SERVICES:
        wait_for(partial(knows, visitor, service), f"{service} has the key of the session")
    assert visitor.get("/enrollment/staff/").status == 403


def test_who_signs_out_is_forgotten_by_the_others(stack: Stack, candidate: tuple[str, str]) -> None:
    visitor, thief = Visitor(stack.url), Visitor(stack.url)
    visitor.sign_in(*candidate)
    wait_for(lambda: knows(visitor, "enrollment"), "enrollment has the key of the session")
    for cookie in visitor.cookies:
        thief.cookies.set_cookie(cookie)
    assert knows(thief, "enrollment")
    assert visitor.post("/identity/sign-out").status == 200
    wait_for(
        lambda: not knows(thief, "enrollment"), "enrollment has heard that the session is over"
    )


async def test_signing_in_with_a_real_browser(stack: Stack, candidate: tuple[str, str]) -> None:
    async with open_browser() as browser:
        page = await (await browser.new_context(locale="zh-TW")).new_page()
        complaints: list[str] = []
        page.on("console", lambda told: complaints.append(told.text))
        await page.goto(f"{stack.url}/identity/sign-in?next=/enrollment/")
        await page.fill("[name=email]", candidate[0])
        await page.fill("[name=password]", candidate[1])
        await page.click("main button[type=submit]")
        await page.wait_for_url(f"{stack.url}/enrollment/")
        for path in ("/", *(f"/{service}/" for service in SERVICES)):
            answer = await page.goto(f"{stack.url}{path}")
            assert answer is not None
            assert answer.status == 200
            assert NAME in await page.inner_text("header"), path
        assert complaints == []
        answer = await page.goto(f"{stack.url}/metrics")
        assert answer is not None
        assert answer.status == 404
        assert "找不到這個頁面" in await page.inner_text("h1")
