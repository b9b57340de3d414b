"""The recorded sample of each fact, and the letter that it owes to a contact."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from services.notify import owed
from services.notify.contacts import Contact
from services.notify.letters import Owed
from shared.events import Event
from shared.events.identity import ContactChanged

CONTRACTS = Path(__file__).parents[1] / "contracts"
ACCOUNT = UUID("0197b1c2-3d4e-7f50-8a61-000000000001")


def sample(event: type[Event]) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((CONTRACTS / f"{event.name}.json").read_text())
    return recorded


def reference_of(event: type[Event]) -> str | None:
    """What the letter about this sample quotes, if it is about somebody's registration."""
    return sample(event).get("reference")


def contact(**changed: Any) -> ContactChanged:
    """Word of whoever the samples of enrollment and payments are about."""
    recorded = sample(ContactChanged) | {"account_id": ACCOUNT} | changed
    return ContactChanged.model_validate(recorded)


def owed_for(event_class: type[Event], **changed: Any) -> Owed:
    """What the sample of a fact owes, if it is changed like this."""
    event = event_class.model_validate(sample(event_class) | changed)
    letter = owed.LETTERS[event_class]
    if event_class in owed.TO_ADDRESSES:
        [written] = owed.owe(letter, [event])
        return written
    [unaddressed] = owed.owe_to_accounts(letter, [event])
    to = contact()
    return owed.address(
        unaddressed, Contact(ACCOUNT, to.email, to.person, to.language, to.changed_at)
    )


def kept(letter: Owed) -> dict[str, Any]:
    """What a letter tells, as it comes back from the register."""
    told: dict[str, Any] = from_json(to_json(dict(letter.context)))
    return told
