"""What operators do on the command line: the first staff account has to come from somewhere."""

import argparse
import secrets
import sys

from services.identity import accounts
from services.identity.accounts import AddressTaken
from services.identity.passwords import LONGEST, Passwords
from services.identity.settings import Settings
from shared import db
from shared.auth import Role
from shared.run import Command


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="create a staff account")
    add.add_argument("email")
    add.add_argument("--name", required=True)
    add.add_argument(
        "--role", action="append", required=True, type=Role, choices=list(Role), dest="roles"
    )
    add.add_argument(
        "--password-from-stdin",
        action="store_true",
        help="read the password from standard input instead of making one up",
    )


async def _staff(settings: Settings, arguments: argparse.Namespace) -> int:
    made_up = not arguments.password_from_stdin
    password = secrets.token_urlsafe(12) if made_up else sys.stdin.readline().rstrip("\n")
    if not 8 <= len(password) <= LONGEST:
        print(f"a password has 8 to {LONGEST} characters", file=sys.stderr)
        return 1
    connection = await db.connect(str(settings.database_url), application="staff add")
    try:
        async with connection.transaction():
            await accounts.create(
                connection,
                email=arguments.email,
                name=arguments.name,
                password_hash=await Passwords(workers=1).hash(password),
                roles=arguments.roles,
                actor="command line",
            )
    except AddressTaken as refusal:
        print(refusal, file=sys.stderr)
        return 1
    finally:
        await connection.close()
    print(f"{arguments.email} may sign in as {', '.join(arguments.roles)}")
    if made_up:
        print(f"password: {password}")
    return 0


COMMANDS = {
    "staff": Command("staff accounts", _arguments, _staff),
}
