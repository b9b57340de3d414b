"""Facts published by identity."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events import Event


class SigningKeyPublished(Event):
    """A key that will sign sessions. It is announced before it is used."""

    name: ClassVar[str] = "identity.signing_key_published.v1"

    key_id: str
    public_key: str  # Ed25519, 32 bytes in hex
    retires_at: datetime  # no session signed by it is valid after this


class SessionsRevoked(Event):
    """Sessions of this subject that began before an instant are over."""

    name: ClassVar[str] = "identity.sessions_revoked.v1"

    subject: UUID  # an account, or one session
    issued_before: datetime
    forget_at: datetime  # every session meant has run out by itself by then


class ContactChanged(Event):
    """How to reach somebody with an account: published when it is opened, and at every change."""

    name: ClassVar[str] = "identity.contact_changed.v1"

    account_id: UUID
    email: str
    person: str
    language: str  # zh-Hant-TW or en
    changed_at: datetime


class AccountClosed(Event):
    """Somebody deleted their account: what was kept to reach them is to be forgotten."""

    name: ClassVar[str] = "identity.account_closed.v1"

    account_id: UUID
    email: str
    person: str
    language: str
    closed_at: datetime


class LetterRequested(Event):
    """Somebody is owed a letter about their account."""

    # Addressed by what was typed, not by account: some of these go to people who have none (yet).
    request_id: UUID
    email: str
    person: str
    language: str


class LinkRequested(LetterRequested):
    """A letter with a link that works once, for a while."""

    link: str
    expires_at: datetime


class AddressConfirmationRequested(LinkRequested):
    """Somebody signed up: the address has to be confirmed."""

    name: ClassVar[str] = "identity.address_confirmation_requested.v1"


class KnownAddressSignedUp(LetterRequested):
    """Somebody signed up with an address that has an account; only its owner is told."""

    name: ClassVar[str] = "identity.known_address_signed_up.v1"


class PasswordResetRequested(LinkRequested):
    """Somebody forgot the password."""

    name: ClassVar[str] = "identity.password_reset_requested.v1"


class PasswordChanged(LetterRequested):
    """A password was changed or reset: its owner is told, in case it was somebody else."""

    name: ClassVar[str] = "identity.password_changed.v1"

    changed_at: datetime
    of_results_account: bool = False  # it is named by an ID number, and logged in to elsewhere


class AddressChangeRequested(LinkRequested):
    """Somebody wants another address: the letter goes to the new one."""

    name: ClassVar[str] = "identity.address_change_requested.v1"


class AddressChanged(LetterRequested):
    """An account has another address now: the letter goes to the old one."""

    name: ClassVar[str] = "identity.address_changed.v1"

    changed_at: datetime


class StaffInvited(LinkRequested):
    """Somebody is to become staff and has to choose a password and set up the second factor."""

    name: ClassVar[str] = "identity.staff_invited.v1"

    roles: list[str]


class ResultsAccountOpened(Event):
    """Somebody registered for the results service with ID number and secret number."""

    # The account is theirs beside any other they have; how to reach it, ContactChanged tells.
    name: ClassVar[str] = "identity.results_account_opened.v1"

    account_id: UUID
    entry_id: UUID
    id_number: str
    registered_at: datetime
