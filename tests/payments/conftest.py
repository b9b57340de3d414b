"""A till for every story."""

from collections.abc import AsyncIterator

import pytest

from services.payments.methods import line_pay
from tests.conftest import MakeDatabase
from tests.payments.payer import Payer, open_payer
from tests.payments.till import Till, open_till
from tests.site import Site, open_site


@pytest.fixture
async def till(make_database: MakeDatabase) -> AsyncIterator[Till]:
    async with open_till(await make_database("payments")) as till:
        yield till


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits 40 seconds for a test."""
    monkeypatch.setattr(line_pay, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(line_pay, "CONFIRM_SECONDS", 0.5)
    monkeypatch.setattr("services.payments.ecpay_desk.ANSWER_SECONDS", 0.5)


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    """Payments and its staff, on databases of their own."""
    async with open_site(make_database, "identity", "payments") as site:
        yield site


@pytest.fixture
async def payer(make_database: MakeDatabase) -> AsyncIterator[Payer]:
    async with open_payer(make_database) as payer:
        yield payer
