"""What notify does when another service's news arrives: mostly, somebody is owed a letter."""

from typing import Any

from services.notify import contacts, letters
from services.notify.contacts import Contact
from services.notify.owed import LETTERS, Letter, owe
from shared.db import Tx
from shared.events.identity import AccountClosed, ContactChanged
from shared.inbox import Handler, Handlers


def _owing(letter: Letter) -> Handler:
    async def on_letter_owed(tx: Tx, events: list[Any]) -> None:
        await letters.queue(tx, owed=owe(letter, events))

    return on_letter_owed


async def on_contact_changed(tx: Tx, events: list[ContactChanged]) -> None:
    await contacts.change(
        tx,
        contacts=[
            Contact(e.account_id, e.email, e.person, e.language, e.changed_at) for e in events
        ],
    )


async def on_account_closed(tx: Tx, events: list[AccountClosed]) -> None:
    await contacts.forget(tx, closed={e.account_id: e.closed_at for e in events})
    await letters.queue(tx, owed=owe(LETTERS[AccountClosed], events))


HANDLERS: Handlers = {
    **{event: _owing(letter) for event, letter in LETTERS.items()},
    ContactChanged: on_contact_changed,
    AccountClosed: on_account_closed,
}
