"""What scoring does when another service's news arrives."""

from services.scoring import candidates, holders, releases, sittings
from services.scoring.holders import Holder
from shared.db import Tx
from shared.events.enrollment import EntryRecorded
from shared.events.identity import ResultsAccountOpened
from shared.inbox import Handlers


async def on_entry_recorded(tx: Tx, events: list[EntryRecorded]) -> None:
    await sittings.note(tx, recorded=events)
    await candidates.note(tx, recorded=events)
    # Whoever registers for an exam here holds the result from then on.
    await holders.note(
        tx,
        holders=[
            Holder(event.entry_id, event.account_id, event.recorded_at)
            for event in events
            if event.account_id is not None
        ],
    )
    await releases.look_again(tx, entry_ids=[event.entry_id for event in events])


async def on_results_account_opened(tx: Tx, events: list[ResultsAccountOpened]) -> None:
    await holders.note(
        tx,
        holders=[Holder(event.entry_id, event.account_id, event.registered_at) for event in events],
    )
    await releases.look_again(tx, entry_ids=[event.entry_id for event in events])


HANDLERS: Handlers = {
    EntryRecorded: on_entry_recorded,
    ResultsAccountOpened: on_results_account_opened,
}
