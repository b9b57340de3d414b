"""Accounts to look around with, on one's own machine. Loaded on request only."""

from services.identity import accounts
from services.identity.accounts import AddressTaken
from services.identity.passwords import Passwords
from services.identity.settings import Settings
from shared import db
from shared.auth import Role

# Known to everybody who reads this: for a machine that only its owner can reach.
PASSWORD = "look-around-2026"  # noqa: S105 (meant to be known)

# Who they are, what they are called, what they may do, and where they begin.
PEOPLE: list[tuple[str, str, tuple[Role, ...], str]] = [
    ("candidate", "陳小明", (), "/identity/"),
    ("registrar", "林雅婷", (Role.REGISTRAR,), "/enrollment/staff/"),
    ("finance", "王志豪", (Role.FINANCE,), "/payments/staff/"),
    ("examiner", "張淑芬", (Role.EXAMINER,), "/scoring/staff/"),
    ("releaser", "李建宏", (Role.RELEASER,), "/scoring/staff/"),
    ("administrator", "黃怡君", (Role.ADMINISTRATOR,), "/identity/staff/"),
]


async def load_accounts(settings: Settings) -> list[dict[str, str]]:
    """Create the accounts that are not there yet; return them all."""
    passwords = Passwords(workers=1)
    connection = await db.connect(str(settings.database_url), application="demo")
    base = str(settings.public_url).rstrip("/")
    people = []
    try:
        for who, name, roles, page in PEOPLE:
            email = f"{who}@examhall.example"
            if await accounts.find_by_email(connection, email=email) is None:
                hashed = await passwords.hash(PASSWORD)
                try:
                    async with connection.transaction():
                        await accounts.create(
                            connection,
                            email=email,
                            name=name,
                            password_hash=hashed,
                            roles=roles,
                            actor="demo",
                        )
                except AddressTaken:
                    pass  # somebody loads the same data at the same time
            people.append(
                {"who": who, "email": email, "password": PASSWORD, "url": f"{base}{page}"}
            )
    finally:
        await connection.close()
    return people
