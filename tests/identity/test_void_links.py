"""Links that were open when a password or an address changed: whoever has one has lost."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.conftest import MakeDatabase
from tests.identity.holders import ID_NUMBER, PASSWORD, Portal, open_portal
from tests.site import PASSWORD as ACCOUNT_PASSWORD
from tests.site import Site

OWNER = "chen@exam.example"
OTHER = "elsewhere@exam.example"
NEW_PASSWORD = "another horse 43"
CHOSEN = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}


@dataclass(frozen=True)
class Kind:
    """An account of one kind, and where its owner changes it."""

    pages: str
    present: str
    forgotten: str
    name: dict[str, str]
    find_address: str


KINDS = {
    "account": Kind(
        "/identity/account/",
        ACCOUNT_PASSWORD,
        "/identity/forgotten-password",
        {"email": OWNER},
        "SELECT email FROM accounts",
    ),
    "results": Kind(
        "/identity/results/details/",
        PASSWORD,
        "/identity/results/forgotten-password",
        {"id_number": ID_NUMBER},
        "SELECT email FROM results_accounts",
    ),
}


@dataclass(frozen=True)
class Owner:
    """Somebody who is signed in to an account of one kind."""

    site: Site
    kind: Kind

    async def ask_for_address(self) -> str:
        """Ask to have letters at another address; return the link of the letter that goes there."""
        form = {"email": OTHER, "email_again": OTHER, "present": self.kind.present}
        assert (await self.site.post(f"{self.kind.pages}address", **form)).status == 303
        await self.site.deliver()
        return self.site.newest_link()

    async def ask_for_password(self) -> str:
        """Say that the password is forgotten; return the link of the letter."""
        assert (await self.site.post(self.kind.forgotten, **self.kind.name)).status == 303
        await self.site.answer_inquiries()
        return self.site.newest_link()

    async def find_address(self) -> str:
        found: str = await self.site.pools["identity"].fetchval(self.kind.find_address)
        return found


@pytest.fixture(params=KINDS)
async def owner(
    make_database: MakeDatabase, request: pytest.FixtureRequest
) -> AsyncIterator[Owner]:
    async with open_portal(make_database) as portal:
        await sign_in(portal, request.param)
        await portal.site.deliver()
        yield Owner(portal.site, KINDS[request.param])


async def sign_in(portal: Portal, kind: str) -> None:
    if kind == "account":
        await portal.site.add_account(OWNER)
        await portal.site.sign_in(OWNER)
    else:
        await portal.register(email=OWNER, email_again=OWNER)
        await portal.log_in()


async def test_a_password_from_a_letter_ends_a_change_of_address_under_way(owner: Owner) -> None:
    """Somebody knew the old password, and wants letters to go to an address of their own."""
    strangers = await owner.ask_for_address()
    assert (await owner.site.post(await owner.ask_for_password(), **CHOSEN)).status == 303
    late = await owner.site.post(strangers)
    assert late.status == 410
    assert "這個連結已經過期" in await late.text()
    assert await owner.find_address() == OWNER


async def test_a_password_changed_in_the_account_ends_it_too(owner: Owner) -> None:
    strangers = await owner.ask_for_address()
    form = {"present": owner.kind.present, **CHOSEN}
    assert (await owner.site.post(f"{owner.kind.pages}password", **form)).status == 303
    assert (await owner.site.post(strangers)).status == 410
    assert await owner.find_address() == OWNER


async def test_a_letter_to_the_old_address_chooses_no_password_any_more(owner: Owner) -> None:
    """Somebody reads the old mailbox: that may be why its owner has left it."""
    strangers = await owner.ask_for_password()
    assert (await owner.site.post(await owner.ask_for_address())).status == 303
    assert (await owner.site.post(strangers, **CHOSEN)).status == 410
    assert await owner.find_address() == OTHER


async def test_an_address_can_be_asked_for_anew_afterwards(owner: Owner) -> None:
    await owner.ask_for_address()
    form = {"present": owner.kind.present, **CHOSEN}
    await owner.site.post(f"{owner.kind.pages}password", **form)
    again = {"email": OTHER, "email_again": OTHER, "present": NEW_PASSWORD}
    assert (await owner.site.post(f"{owner.kind.pages}address", **again)).status == 303
    await owner.site.deliver()
    assert (await owner.site.post(owner.site.newest_link())).status == 303
    assert await owner.find_address() == OTHER
