"""Second factors: what staff prove with a device. Sole writer of the `second_factors` table."""

from datetime import datetime
from uuid import UUID

import pyotp

from shared import audit
from shared.db import Tx
from shared.vault import Vault

PURPOSE = "second factor"
ISSUER = "Examhall"
STEP_SECONDS = 30
# A clock may be half a minute off, and a person types for a while.
STEPS_AROUND = 1


def new_secret() -> str:
    """A secret in base32, as the apps want it."""
    return pyotp.random_base32()


def address(secret: str, *, email: str) -> str:
    """The otpauth: address that an app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def find_step(secret: str, code: str, *, now: datetime) -> int | None:
    """Return the time step for which this is the code, or None."""
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - STEPS_AROUND, current + STEPS_AROUND + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), code.replace(" ", "")):
            return step
    return None


async def find_secret(tx: Tx, *, account_id: UUID, vault: Vault) -> str | None:
    sealed = await tx.fetchval(
        "SELECT secret FROM second_factors WHERE account_id = $1", account_id
    )
    return vault.decrypt(sealed, purpose=PURPOSE).decode() if sealed else None


async def set_up(tx: Tx, *, account_id: UUID, secret: str, step: int, vault: Vault) -> bool:
    """Store a secret that was proved by a first code; False when there is one already."""
    stored = await tx.fetchval(
        """
        INSERT INTO second_factors (account_id, secret, last_step) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        account_id,
        vault.encrypt(secret.encode(), purpose=PURPOSE),
        step,
    )
    if stored:
        await _record(tx, str(account_id), "second_factor_set_up", account_id)
    return bool(stored)


async def use(tx: Tx, *, account_id: UUID, step: int) -> bool:
    """Use the code of a time step; False when it, or a later one, was used before."""
    used = await tx.fetchval(
        """
        UPDATE second_factors SET last_step = $2
         WHERE account_id = $1 AND last_step < $2 RETURNING true
        """,
        account_id,
        step,
    )
    return bool(used)


async def forget(tx: Tx, *, account_id: UUID, actor: str) -> None:
    """Forget a device that was lost: its owner sets up another at the next sign-in."""
    forgotten = await tx.fetchval(
        "DELETE FROM second_factors WHERE account_id = $1 RETURNING true", account_id
    )
    if forgotten:
        await _record(tx, actor, "second_factor_forgotten", account_id)


async def _record(tx: Tx, actor: str, act: str, account_id: UUID) -> None:
    await audit.record(tx, [audit.Line(actor, act, f"account {account_id}", {})])
