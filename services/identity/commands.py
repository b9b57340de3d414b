"""What operators do on the command line: the first staff account has to come from somewhere."""

import argparse
import secrets
import sys
from datetime import UTC, datetime

import pyotp

from services.identity import accounts
from services.identity.accounts import AddressTaken
from services.identity.demo import SECOND_FACTOR
from services.identity.passwords import Passwords
from services.identity.rules import find_address_fault, find_password_fault
from services.identity.settings import Settings
from shared import db
from shared.auth import Role
from shared.run import Command


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="open a staff account")
    add.add_argument("email")
    add.add_argument("--name", required=True)
    add.add_argument(
        "--role", action="append", required=True, type=Role, choices=list(Role), dest="roles"
    )
    add.add_argument("--language", choices=["zh-Hant-TW", "en"], default="zh-Hant-TW")
    add.add_argument(
        "--password-from-stdin",
        action="store_true",
        help="read the password from standard input instead of making one up",
    )
    actions.add_parser("code", help="the code of the demo accounts' second factor, right now")


async def _staff(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.action == "code":
        print(pyotp.TOTP(SECOND_FACTOR).now())
        return 0
    made_up = not arguments.password_from_stdin
    password = secrets.token_urlsafe(12) if made_up else sys.stdin.readline().rstrip("\n")
    fault = find_address_fault(arguments.email) or find_password_fault(
        password, email=arguments.email
    )
    if fault:
        print(fault, file=sys.stderr)
        return 1
    connection = await db.connect(str(settings.database_url), application="staff add")
    try:
        async with connection.transaction():
            await accounts.open_(
                connection,
                email=arguments.email,
                person=arguments.name,
                language=arguments.language,
                password_hash=await Passwords(workers=1).hash(password),
                roles=arguments.roles,
                actor="command line",
                now=datetime.now(UTC),
            )
    except AddressTaken as refusal:
        print(refusal, file=sys.stderr)
        return 1
    finally:
        await connection.close()
    print(f"{arguments.email} may sign in as {', '.join(arguments.roles)}")
    print("The second factor is set up at the first sign-in.")
    if made_up:
        print(f"password: {password}")
    return 0


COMMANDS = {
    "staff": Command("staff accounts", _arguments, _staff),
}
