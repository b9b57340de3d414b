"""Accounts to look around with, on one's own machine. Loaded on request only."""

from datetime import datetime

from services.identity import accounts, second_factors
from services.identity.passwords import Passwords
from services.identity.settings import Settings
from shared import db
from shared.auth import Role

# Known to everybody who reads this: for a machine that only its owner can reach.
PASSWORD = "look-around-2026"  # noqa: S105 (meant to be known)

# The second factor of the staff among them; `./examhall staff code` shows its present code.
SECOND_FACTOR = "LOOKAROUNDLOOKAROUNDLOOKAROUND22"

# Who they are, what they are called, what they may do, and where they begin.
PEOPLE: list[tuple[str, str, tuple[Role, ...], str]] = [
    ("candidate", "陳小明", (), "/identity/"),
    ("registrar", "林雅婷", (Role.REGISTRAR,), "/enrollment/staff/"),
    ("finance", "王志豪", (Role.FINANCE,), "/payments/staff/"),
    ("examiner", "張淑芬", (Role.EXAMINER,), "/scoring/staff/"),
    ("releaser", "李建宏", (Role.RELEASER,), "/scoring/staff/"),
    ("centre", "陳美玲", (Role.CENTRE,), "/enrollment/staff/centre/"),
    ("administrator", "黃怡君", (Role.ADMINISTRATOR,), "/identity/staff/"),
]


async def load_accounts(settings: Settings, *, now: datetime) -> list[dict[str, str]]:
    """Open the accounts that are not there yet; return them all."""
    if settings.is_https:
        raise SystemExit("accounts with known passwords are not for a public site")
    hashed = await Passwords(workers=1).hash(PASSWORD)
    connection = await db.connect(str(settings.database_url), application="demo")
    base = str(settings.public_url).rstrip("/")
    people = []
    try:
        for who, name, roles, page in PEOPLE:
            email = f"{who}@examhall.example"
            async with connection.transaction():
                if await accounts.find_by_email(connection, email=email) is None:
                    account_id = await accounts.open_(
                        connection,
                        email=email,
                        person=name,
                        language="zh-Hant-TW",
                        password_hash=hashed,
                        roles=roles,
                        actor="demo",
                        now=now,
                    )
                    if roles:
                        await second_factors.set_up(
                            connection,
                            account_id=account_id,
                            secret=SECOND_FACTOR,
                            step=0,
                            vault=settings.vault,
                        )
            person = {"who": who, "email": email, "password": PASSWORD, "url": f"{base}{page}"}
            people.append(person | ({"code": "./examhall staff code"} if roles else {}))
    finally:
        await connection.close()
    return people
