"""Staff: from the invitation to the first page, and what administrators see."""

import re
from uuid import uuid4

import pyotp
import pytest

from tests.journeys.conftest import Arrive, Place
from tests.journeys.devices import LANGUAGES
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

PASSWORD = "a sentence of my own"
SERVICES = ["identity", "enrollment", "payments", "scoring", "notify"]


async def sign_in_as(visitor: Visitor, place: Place, role: str) -> None:
    """Sign in with a new account and its second factor, for a journey about other things."""
    email, password = await place.add_staff(role)
    page = await visitor.send("/identity/sign-in", email=email, password=password)
    shown = re.search('class="eh-key">([^<]+)<', page)
    assert shown
    code = pyotp.TOTP(shown[1].replace(" ", "")).now()
    await visitor.send("/identity/second-factor/new", code=code)


async def set_up_second_factor(visitor: Visitor) -> None:
    assert visitor.path == "/identity/second-factor/new"
    secret = (await visitor.page.inner_text(".eh-key")).replace(" ", "")
    await visitor.fill(code=pyotp.TOTP(secret).now())
    await visitor.press()
    assert await visitor.is_signed_in()


@in_two_ways
async def test_from_invitation_to_the_first_page(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    address = f"{uuid4().hex[:10]}@exam.example"
    administrator = await arrive(language, script=script)
    await sign_in_as(administrator, place, "administrator")
    await administrator.open("/identity/staff/people/new")
    await administrator.fill(person="張書瑋", email=address)
    await administrator.page.check("[name=roles][value=registrar]")
    await administrator.press()
    assert address not in await administrator.text(), "not before the invitation is accepted"

    invited = await arrive(language, script=script)
    await invited.open_letter(address)
    await invited.fill(password=PASSWORD, password_again=PASSWORD)
    await invited.press()
    await set_up_second_factor(invited)
    answer = await invited.open("/enrollment/staff/")
    assert answer.status == 200
    refused = await invited.page.goto(f"{place.url}/payments/staff/")
    assert refused is not None
    assert refused.status == 403
    await invited.look()

    await administrator.open("/identity/staff/people")
    async with administrator.page.expect_navigation():
        await administrator.page.locator("tr", has_text=address).locator("a").click()
    await administrator.look()
    assert await administrator.page.is_checked("[value=registrar]")


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


async def test_whoever_was_added_on_the_command_line_gets_in(arrive: Arrive, place: Place) -> None:
    visitor = await arrive("en")
    await visitor.sign_in(*place.add_staff_by_command("administrator"))
    await set_up_second_factor(visitor)
    answer = await visitor.open("/identity/staff/")
    assert answer.status == 200


async def test_the_demo_staff_get_in_with_the_demo_code(arrive: Arrive, place: Place) -> None:
    person = place.people["registrar"]
    visitor = await arrive("en")
    await visitor.sign_in(person["email"], person["password"], next_page="/enrollment/staff/")
    await visitor.fill(code=place.run("staff", "code"))
    await visitor.press()
    assert visitor.path == "/enrollment/staff/"
