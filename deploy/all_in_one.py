"""All five services in one process, for one machine: the same parts, wired together."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import uvloop

from services.enrollment import app as enrollment
from services.enrollment import demo as sittings
from services.enrollment.settings import Settings as EnrollmentSettings
from services.identity import app as identity
from services.identity import demo as accounts
from services.identity.settings import Settings as IdentitySettings
from services.notify import app as notify
from services.payments import app as payments
from services.scoring import app as scoring
from shared import logs, run
from shared.run import Entry
from shared.settings import ServiceSettings, load

# Identity first: it owns the pages at the root of the site.
ENTRIES: Sequence[Entry] = (
    identity.ENTRY,
    enrollment.ENTRY,
    payments.ENTRY,
    scoring.ENTRY,
    notify.ENTRY,
)


async def _serve(configured: Sequence[tuple[Entry, ServiceSettings]]) -> None:
    await run.serve(
        configured[0][1],
        services=[entry.create_app(settings) for entry, settings in configured],
        workers=[entry.create_worker(settings) for entry, settings in configured],
    )


async def _migrate(configured: Sequence[tuple[Entry, ServiceSettings]]) -> None:
    for entry, settings in configured:
        await run.prepare(entry, settings)


async def _look_around(now: datetime) -> None:
    """Make what a newcomer looks around with; print who there is."""
    await sittings.load_sittings(load(EnrollmentSettings), now=now)
    for account in await accounts.load_accounts(load(IdentitySettings), now=now):
        print(json.dumps(account, ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.all_in_one", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "migrate", "demo"], default="serve")
    command = parser.parse_args().command
    configured = [(entry, load(entry.settings)) for entry in ENTRIES]
    logs.configure(configured[0][1])
    match command:
        case "serve":
            uvloop.run(_serve(configured))
        case "migrate":
            uvloop.run(_migrate(configured))
        case "demo":
            uvloop.run(_look_around(datetime.now(UTC)))


if __name__ == "__main__":
    main()
