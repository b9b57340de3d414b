"""What scoring does when another service's news arrives."""

from services.scoring import candidates, holders, releases, sittings
from services.scoring.holders import Holder
from services.scoring.releases import EVER
from shared.db import Tx
from shared.events.enrollment import EntryRecorded
from shared.events.identity import AccountClosed, ResultsAccountOpened
from shared.inbox import Handlers


async def on_entry_recorded(tx: Tx, events: list[EntryRecorded]) -> None:
    await sittings.note(tx, recorded=events)
    revived = await candidates.note(tx, recorded=events)
    # Their results appear only now: whoever had registered before the release waits for a letter.
    await releases.look_again(tx, held=[(entry_id, EVER) for entry_id in revived])
    # Whoever registers for an exam here holds the result from then on.
    await _hold(
        tx,
        [
            Holder(event.entry_id, event.account_id, event.recorded_at)
            for event in events
            if event.account_id is not None
        ],
    )


async def on_results_account_opened(tx: Tx, events: list[ResultsAccountOpened]) -> None:
    await _hold(
        tx, [Holder(event.entry_id, event.account_id, event.registered_at) for event in events]
    )


async def on_account_closed(tx: Tx, events: list[AccountClosed]) -> None:
    await holders.close(tx, closed={event.account_id: event.closed_at for event in events})


async def _hold(tx: Tx, found: list[Holder]) -> None:
    await holders.note(tx, holders=found)
    await releases.look_again(tx, held=[(one.entry_id, one.registered_at) for one in found])


HANDLERS: Handlers = {
    EntryRecorded: on_entry_recorded,
    ResultsAccountOpened: on_results_account_opened,
    AccountClosed: on_account_closed,
}
