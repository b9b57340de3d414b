"""Which letter each fact owes somebody: the one table to look at, or to add a line to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.notify.letters import Owed
from shared.events import Event
from shared.events.identity import (
    AccountClosed,
    AddressChanged,
    AddressChangeRequested,
    AddressConfirmationRequested,
    KnownAddressSignedUp,
    PasswordChanged,
    PasswordResetRequested,
    StaffInvited,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """Which templates write it, what they tell of the event, and what makes it one letter."""

    template: str
    tells: tuple[str, ...] = ()
    cause: str = "request_id"


# To add a letter: a line here, and templates/letters/<template>.txt and .html.
LETTERS: Mapping[type[Event], Letter] = {
    AddressConfirmationRequested: Letter("address_confirmation", ("link", "expires_at")),
    KnownAddressSignedUp: Letter("known_address"),
    PasswordResetRequested: Letter("password_reset", ("link", "expires_at")),
    PasswordChanged: Letter("password_changed", ("changed_at",)),
    AddressChangeRequested: Letter("address_change", ("link", "expires_at")),
    AddressChanged: Letter("address_changed", ("changed_at",)),
    StaffInvited: Letter("staff_invitation", ("link", "expires_at", "roles")),
    AccountClosed: Letter("goodbye", ("closed_at",), cause="account_id"),
}


def owe(letter: Letter, events: Sequence[Any]) -> list[Owed]:
    """Read from events of one kind which letters are owed."""
    return [
        Owed(
            cause=str(getattr(event, letter.cause)),
            template=letter.template,
            recipient=event.email,
            person=event.person,
            language=event.language,
            context={name: getattr(event, name) for name in letter.tells},
            useless_after=event.expires_at if "link" in letter.tells else None,
        )
        for event in events
    ]
