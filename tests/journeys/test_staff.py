"""Staff: from the invitation to the first page, and what administrators see."""

from uuid import uuid4

import pyotp
import pytest

from services.identity.demo import SECOND_FACTOR
from tests.journeys.conftest import Arrive, Place
from tests.journeys.visitor import LANGUAGES, Visitor

pytestmark = pytest.mark.browser

PASSWORD = "a sentence of my own"
SERVICES = ["identity", "enrollment", "payments", "scoring", "notify"]


async def sign_in_as(visitor: Visitor, place: Place, who: str) -> None:
    person = place.people[who]
    await visitor.sign_in(person["email"], person["password"])
    assert visitor.path == "/identity/second-factor"
    # A code works once in thirty seconds; tests are faster than that, and ask for the neighbours'.
    for offset in (0, 1, -1):
        code = pyotp.TOTP(SECOND_FACTOR).now()
        if offset:
            import time

            code = pyotp.TOTP(SECOND_FACTOR).at(int(time.time()) + 30 * offset)
        await visitor.fill(code=code)
        await visitor.press()
        if await visitor.is_signed_in():
            return
    raise AssertionError(await visitor.text())


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_from_invitation_to_the_first_page(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    address = f"{uuid4().hex[:10]}@exam.example"
    administrator = await arrive(language, script=script)
    # Each run of this test has an administrator of its own: codes work once.
    await make_administrator(administrator, place)
    await administrator.open("/identity/staff/people/new")
    await administrator.fill(person="林雅婷", email=address)
    await administrator.page.check("[name=roles][value=registrar]")
    await administrator.press()
    assert "林雅婷" not in await administrator.text(), "not before the invitation is accepted"

    invited = await arrive(language, script=script)
    await invited.open_letter(address)
    await invited.fill(password=PASSWORD, password_again=PASSWORD)
    await invited.press()
    assert invited.path == "/identity/second-factor/new"
    secret = (await invited.page.inner_text(".eh-key")).replace(" ", "")
    await invited.fill(code=pyotp.TOTP(secret).now())
    await invited.press()
    assert await invited.is_signed_in()
    answer = await invited.open("/enrollment/staff/")
    assert answer.status == 200
    refused = await invited.page.goto(f"{place.url}/payments/staff/")
    assert refused is not None
    assert refused.status == 403
    await invited.look()

    await administrator.open("/identity/staff/people")
    await administrator.follow("林雅婷")
    assert await administrator.page.is_checked("[value=registrar]")


async def make_administrator(visitor: Visitor, place: Place) -> None:
    await visitor.open("/")
    await sign_in_as(visitor, place, "administrator")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_first_page_of_every_service_tells_how_it_is(
    arrive: Arrive, place: Place, language: str
) -> None:
    visitor = await arrive(language)
    await sign_in_as(visitor, place, "administrator")
    for service in SERVICES:
        answer = await visitor.open(f"/{service}/staff/")
        assert answer.status == 200, service
    for page in ("/notify/staff/letters", "/notify/staff/undeliverable", "/identity/staff/people"):
        answer = await visitor.open(page)
        assert answer.status == 200, page
