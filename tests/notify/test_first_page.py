"""The page for everyone says which letters we send: those, and no others."""

import re

from services.notify import owed
from shared.events.enrollment import (
    DocumentsReturned,
    PlaceClaimed,
    RegistrationConfirmed,
    RegistrationSubmitted,
    SubmissionDue,
)
from shared.events.payments import OrderPaid
from shared.events.scoring import ResultsReleased
from tests.conftest import MakeDatabase
from tests.site import open_site

PROMISE = re.compile(r'class="govuk-summary-list__key">([^<]+)<')
OWED_FOR = {
    "Place taken": PlaceClaimed,
    "Registration received": RegistrationSubmitted,
    "Reminder": SubmissionDue,
    "Payment received": OrderPaid,
    "Document to replace": DocumentsReturned,
    "Registration confirmed": RegistrationConfirmed,
    "Result": ResultsReleased,
}


async def test_every_letter_that_is_promised_is_owed_for_something(
    make_database: MakeDatabase,
) -> None:
    async with open_site(make_database, "notify") as site:
        page = await (await site.client.get("/notify/?lang=en")).text()
    assert PROMISE.findall(page) == [*OWED_FOR]
    assert set(OWED_FOR.values()) <= owed.LETTERS.keys()
