"""What operators do on the command line: prove that not one dollar is missing."""

import argparse

from services.payments import ledger
from services.payments.settings import Settings
from shared import db
from shared.run import Command


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("verify", help="hold the ledger against orders, captures and refunds")


async def _ledger(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the balances and each check; 1 when one does not hold."""
    connection = await db.connect(str(settings.database_url), application="ledger verify")
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            balances = await ledger.list_balances(connection)
            checks = await ledger.verify(connection)
    finally:
        await connection.close()
    for account, balance in balances.items():
        print(f"{account:<58} {balance:>14,}")
    print()
    for check in checks:
        verdict = "holds" if check.holds else f"BROKEN: should be {check.expected:,}"
        print(f"{check.what:<58} {check.ledger:>14,}   {verdict}")
    return int(not all(check.holds for check in checks))


COMMANDS = {
    "ledger": Command("the ledger", _arguments, _ledger),
}
