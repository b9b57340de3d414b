"""What notify does when another service's news arrives: mostly, somebody is owed a letter."""

from collections.abc import Sequence
from typing import Any

from services.notify import contacts, letters, unaddressed
from services.notify.contacts import Contact
from services.notify.owed import (
    TO_ACCOUNTS,
    TO_ADDRESSES,
    Letter,
    address,
    owe,
    owe_to_accounts,
)
from services.notify.unaddressed import Unaddressed
from shared.db import Tx
from shared.events.identity import AccountClosed, ContactChanged
from shared.inbox import Handler, Handlers


def _owing(letter: Letter) -> Handler:
    async def on_letter_owed(tx: Tx, events: list[Any]) -> None:
        await letters.queue(tx, owed=owe(letter, events))

    return on_letter_owed


def _owing_to_accounts(letter: Letter) -> Handler:
    async def on_letter_owed(tx: Tx, events: list[Any]) -> None:
        await _address(tx, owe_to_accounts(letter, events))

    return on_letter_owed


async def _address(tx: Tx, owed: Sequence[Unaddressed]) -> None:
    """Write to those who can be reached, and keep the letters of those not heard of yet. Those who
    have left get none."""
    asked = {letter.account_id for letter in owed}
    reached = await contacts.find(tx, account_ids=asked)
    if asked - reached.keys():
        strangers = await contacts.expect(tx, account_ids=asked - reached.keys())
        await unaddressed.keep(tx, owed=[each for each in owed if each.account_id in strangers])
        reached = await contacts.find(tx, account_ids=asked)  # there may be word of some by now
    reachable = [each for each in owed if each.account_id in reached]
    await letters.queue(tx, owed=[address(each, reached[each.account_id]) for each in reachable])


async def on_contact_changed(tx: Tx, events: list[ContactChanged]) -> None:
    await contacts.change(
        tx,
        contacts=[
            Contact(e.account_id, e.email, e.person, e.language, e.changed_at) for e in events
        ],
    )
    await _address(tx, await unaddressed.take(tx, account_ids=[e.account_id for e in events]))


async def on_account_closed(tx: Tx, events: list[AccountClosed]) -> None:
    await contacts.forget(tx, closed={e.account_id: e.closed_at for e in events})
    await unaddressed.take(tx, account_ids=[e.account_id for e in events])
    await letters.queue(tx, owed=owe(TO_ADDRESSES[AccountClosed], events))


HANDLERS: Handlers = {
    **{event: _owing(letter) for event, letter in TO_ADDRESSES.items()},
    **{event: _owing_to_accounts(letter) for event, letter in TO_ACCOUNTS.items()},
    ContactChanged: on_contact_changed,
    AccountClosed: on_account_closed,
}
