"""Every address in a letter is one of a page there is: asked of the routers that will be asked."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from aiohttp import hdrs, web
from aiohttp.test_utils import make_mocked_request

from deploy.all_in_one import ENTRIES
from deploy.documents.parts import NEVER_USED
from services.identity import inquiries
from services.identity.links import Link, Purpose
from services.notify import app, owed
from services.notify.mail import Writer
from shared.events import Event
from shared.events.enrollment import RegistrationSubmitted
from shared.events.identity import PasswordChanged
from shared.i18n import LANGUAGES
from shared.web import build
from tests.notify.conftest import make_settings
from tests.notify.samples import kept, owed_for

SITE = "http://127.0.0.1"
OURS = re.compile(rf'{SITE}(/[^\s"<?#]*)')
# What makes the button of a letter lead elsewhere than its sample does.
OTHERWISE: dict[type[Event], dict[str, Any]] = {
    PasswordChanged: {"of_results_account": True},
    RegistrationSubmitted: {"amount_twd": 0, "pay_by": None, "methods": []},
}
LETTERS = [*((fact, {}) for fact in owed.LETTERS), *OTHERWISE.items()]


@pytest.fixture(scope="module")
def writer() -> Writer:
    return app.create_writer(make_settings("postgresql://nobody/none", channel="mailbox"))


@cache
def applications() -> dict[str, web.Application]:
    """Each service alone, by the first part of its addresses: none may stand in for another."""
    built = {
        entry.name: build([entry.create_app(entry.settings.model_validate(NEVER_USED))])
        for entry in ENTRIES
    }
    return {"": built["identity"], **built}


async def is_page(path: str) -> bool:
    application = applications().get(path.split("/")[1])
    if application is None:
        return False
    found = await application.router.resolve(make_mocked_request(hdrs.METH_GET, path))
    return found.http_exception is None


async def test_an_address_that_is_not_there_is_noticed() -> None:
    assert await is_page("/")
    assert await is_page("/scoring/")
    assert not await is_page("/scoring/nowhere/")
    assert not await is_page("/nowhere/")
    assert not await is_page("/identity/letters/3q2-7wAAAAA")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("fact", "changed"), LETTERS, ids=str)
async def test_every_address_in_a_letter_is_one_of_a_page(
    writer: Writer, fact: type[Event], changed: dict[str, Any], language: str
) -> None:
    letter = owed_for(fact, **changed)
    written = writer.write(
        letter.template, language=language, person=letter.person, context=kept(letter)
    )
    paths = {*OURS.findall(written.text), *OURS.findall(written.html)}
    assert paths, "each names our site at least"
    assert [path for path in paths if not await is_page(path)] == []


@pytest.mark.parametrize("purpose", Purpose)
async def test_every_link_that_works_once_is_one_of_a_page(purpose: Purpose) -> None:
    link = Link(purpose, "account 7", {}, datetime(2026, 3, 1, tzinfo=UTC))
    address = inquiries.address(SITE, link, "3q2-7wAAAAA")
    assert await is_page(address.removeprefix(SITE))
