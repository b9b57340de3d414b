"""What identity does when another service's news arrives."""

from services.identity import known_entries, results_accounts
from services.identity.known_entries import Entry
from shared.db import Tx
from shared.events.enrollment import EntryRecorded
from shared.inbox import Handlers


async def on_entry_recorded(tx: Tx, events: list[EntryRecorded]) -> None:
    news = await known_entries.record(
        tx,
        entries=[
            Entry(
                entry_id=event.entry_id,
                id_number=event.id_number,
                secret_digest=event.secret_digest,
                person_name=event.person_name,
                is_cancelled=event.is_cancelled,
                recorded_at=event.recorded_at,
            )
            for event in events
        ],
    )
    await results_accounts.rename(tx, corrected=news)


HANDLERS: Handlers = {
    EntryRecorded: on_entry_recorded,
}
