"""Which letter each fact owes somebody: the one table to look at, or to add a line to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.notify.contacts import Contact
from services.notify.letters import Owed
from services.notify.rules import Turn
from services.notify.unaddressed import Unaddressed
from shared.events import Event, enrollment, identity, payments, scoring


def _nothing(event: Event) -> dict[str, Any]:
    return {}


def _registration(event: enrollment.RegistrationEvent) -> dict[str, Any]:
    return _named(event.reference, event.sitting_titles, registration_id=event.registration_id)


def _order(event: payments.OrderEvent) -> dict[str, Any]:
    """An order may be for several of a group: any of them leads to its page."""
    return _named(event.reference, event.titles, registration_id=event.registration_ids[0])


def _result(event: scoring.ResultEvent) -> dict[str, Any]:
    """Not the ID number, nor part of it: whoever gets a letter by mistake would ask for a new
    password with it, and get that letter, too."""
    return {"titles": event.sitting_titles}


def _named(reference: str, titles: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {"reference": reference, "titles": titles, **more}


@dataclass(frozen=True, slots=True)
class Letter:
    """Which templates write it, what they tell of the event, and what makes it one letter."""

    template: str
    tells: tuple[str, ...] = ()
    cause: tuple[str, ...] = ("request_id",)
    useless_after: str | None = None  # the time it tells of: later the letter helps nobody
    mailing: str | None = None  # of many that go out together: what they are about
    about: Callable[[Any], dict[str, Any]] = _nothing  # what all letters about it tell


def _with_link(template: str, *tells: str) -> Letter:
    return Letter(template, ("link", "expires_at", *tells), useless_after="expires_at")


# To add a letter: a line here, and templates/letters/<template>.txt and .html.

# These go to an address that the event names: to people who may have no account (yet), or who wait
# for a link to get into theirs.
TO_ADDRESSES: Mapping[type[Event], Letter] = {
    identity.AddressConfirmationRequested: _with_link("address_confirmation"),
    identity.KnownAddressSignedUp: Letter("known_address"),
    identity.PasswordResetRequested: _with_link("password_reset"),
    identity.PasswordChanged: Letter("password_changed", ("changed_at", "of_results_account")),
    identity.AddressChangeRequested: _with_link("address_change"),
    identity.AddressChanged: Letter("address_changed", ("changed_at",)),
    identity.StaffInvited: _with_link("staff_invitation", "roles"),
    identity.AccountClosed: Letter("goodbye", ("closed_at",), cause=("account_id",)),
}

_REGISTRATION = ("registration_id",)

# These go to whoever has the account, at the address they have by now. One letter for one fact:
# a lapsed order and a refund that enrollment asks for are told by the other service's event.
TO_ACCOUNTS: Mapping[type[Event], Letter] = {
    enrollment.PlaceClaimed: Letter(
        "place_claimed",
        ("submit_by",),
        _REGISTRATION,
        useless_after="submit_by",
        about=_registration,
    ),
    enrollment.SubmissionDue: Letter(
        "submission_due",
        ("days_left", "submit_by"),
        cause=("registration_id", "days_left", "submit_by"),
        useless_after="submit_by",
        about=_registration,
    ),
    enrollment.RegistrationSubmitted: Letter(
        "registration_submitted",
        ("amount_twd", "methods", "pay_by"),
        _REGISTRATION,
        useless_after="pay_by",
        about=_registration,
    ),
    enrollment.RegistrationLapsed: Letter(
        "registration_lapsed", ("why", "lapsed_at"), _REGISTRATION, about=_registration
    ),
    enrollment.RegistrationWithdrawn: Letter(
        "registration_withdrawn", ("withdrawn_at",), _REGISTRATION, about=_registration
    ),
    enrollment.DocumentsReturned: Letter(
        "documents_returned",
        ("documents", "fix_by"),
        cause=("registration_id", "returned_at"),
        useless_after="fix_by",
        about=_registration,
    ),
    enrollment.RegistrationConfirmed: Letter(
        "registration_confirmed",
        ("exam_date", "tickets_at", "results_at"),
        _REGISTRATION,
        about=_registration,
    ),
    enrollment.RegistrationVoided: Letter(
        "registration_voided", ("why", "reason"), _REGISTRATION, about=_registration
    ),
    payments.InstructionsIssued: Letter(
        "payment_instructions",
        ("method", "amount_twd", "instructions", "pay_by"),
        cause=("attempt_id",),
        useless_after="pay_by",
        about=_order,
    ),
    payments.OrderPaid: Letter(
        "order_paid", ("method", "amount_twd", "paid_at"), ("order_id",), about=_order
    ),
    payments.RefundDue: Letter(
        "refund_due", ("amount_twd", "reason"), ("refund_id",), about=_order
    ),
    payments.RefundCompleted: Letter(
        "refund_completed", ("method", "amount_twd", "completed_at"), ("refund_id",), about=_order
    ),
    payments.ApplicationRefused: Letter(
        "application_refused", ("words",), ("application_id",), about=_order
    ),
    scoring.ResultsReleased: Letter(
        "results_released", cause=("result_id",), mailing="sitting", about=_result
    ),
    scoring.ResultCorrected: Letter(
        "result_corrected", ("reason",), ("result_id",), mailing="sitting", about=_result
    ),
    scoring.OrganisationDecided: Letter(
        "organisation_decided",
        ("organisation", "is_approved", "reason"),
        ("organisation_id", "decided_at"),
    ),
}

LETTERS = {**TO_ADDRESSES, **TO_ACCOUNTS}


def owe(letter: Letter, events: Sequence[Any]) -> list[Owed]:
    """Read from events of one kind, which name an address, which letters are owed."""
    return [
        Owed(
            cause=_cause(letter, event),
            template=letter.template,
            recipient=event.email,
            person=event.person,
            language=event.language,
            context=_context(letter, event),
            useless_after=_useless_after(letter, event),
            turn=Turn.AWAITED,
        )
        for event in events
    ]


def owe_to_accounts(letter: Letter, events: Sequence[Any]) -> list[Unaddressed]:
    """Read from events of one kind, which name an account, which letters are owed."""
    return [
        Unaddressed(
            account_id=event.account_id,
            cause=_cause(letter, event),
            template=letter.template,
            context=_context(letter, event),
            useless_after=_useless_after(letter, event),
            mailing=getattr(event, letter.mailing) if letter.mailing else None,
        )
        for event in events
    ]


def address(letter: Unaddressed, to: Contact) -> Owed:
    return Owed(
        cause=letter.cause,
        template=letter.template,
        recipient=to.email,
        person=to.person,
        language=to.language,
        context=letter.context,
        useless_after=letter.useless_after,
        turn=Turn.NEWS if letter.useless_after is None else Turn.DEADLINES,
        mailing=letter.mailing,
    )


def _context(letter: Letter, event: Event) -> dict[str, Any]:
    return letter.about(event) | {name: getattr(event, name) for name in letter.tells}


def _cause(letter: Letter, event: Event) -> str:
    return " ".join(str(getattr(event, name)) for name in letter.cause)


def _useless_after(letter: Letter, event: Event) -> Any:
    return getattr(event, letter.useless_after) if letter.useless_after else None
