"""Payees: to whom a refund by postal money order is made out, sealed. Writes `refund_payees`."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from pydantic_core import from_json, to_json

from services.payments.refund_book import NoSuchRefund, lock
from services.payments.refunds import AlreadyDone
from shared import audit
from shared.db import Tx
from shared.vault import Vault

PURPOSE = "refund payee"


@dataclass(frozen=True, slots=True)
class Payee:
    """Whoever gets the money order, and where."""

    name: str
    postal_code: str
    address: str
    phone: str


def seal(payee: Payee, vault: Vault) -> bytes:
    return vault.encrypt(to_json(asdict(payee)), purpose=PURPOSE)


def unseal(sealed: bytes, vault: Vault) -> Payee:
    return Payee(**from_json(vault.decrypt(sealed, purpose=PURPOSE)))


async def give(
    tx: Tx, *, refund_id: UUID, account_id: UUID, payee: Payee, vault: Vault, now: datetime
) -> None:
    """Say where one's own refund is sent, as long as it has not been paid."""
    state = await tx.fetchval(
        """
        SELECT refunds.state FROM refunds JOIN orders ON orders.id = order_id
         WHERE refunds.id = $1 AND account_id = $2 FOR NO KEY UPDATE OF refunds
        """,
        refund_id,
        account_id,
    )
    if state is None:
        raise NoSuchRefund
    if state == "completed":
        raise AlreadyDone
    await put(tx, refund_id=refund_id, sealed=seal(payee, vault), actor=str(account_id), now=now)


async def enter(
    tx: Tx, *, refund_id: UUID, payee: Payee, vault: Vault, actor: UUID, now: datetime
) -> None:
    """Write down to whom a refund goes, as finance learnt it on the telephone or by letter."""
    if (await lock(tx, refund_id=refund_id)).state == "completed":
        raise AlreadyDone
    await put(tx, refund_id=refund_id, sealed=seal(payee, vault), actor=str(actor), now=now)


async def put(tx: Tx, *, refund_id: UUID, sealed: bytes, actor: str, now: datetime) -> None:
    """Keep a sealed payee, in the place of an earlier one."""
    await tx.execute(
        """
        INSERT INTO refund_payees (refund_id, sealed, given_at) VALUES ($1, $2, $3)
        ON CONFLICT (refund_id) DO UPDATE SET sealed = EXCLUDED.sealed, given_at = EXCLUDED.given_at
        """,
        refund_id,
        sealed,
        now,
    )
    await audit.record(tx, [audit.Line(actor, "refund_payee_given", f"refund {refund_id}", {})])


async def open_(tx: Tx, *, refund_id: UUID, vault: Vault, actor: UUID) -> Payee | None:
    """Read to whom a refund goes. That somebody did is on record."""
    line = audit.Line(str(actor), "refund_payee_read", f"refund {refund_id}", {})
    await audit.record(tx, [line])
    return await find(tx, refund_id=refund_id, vault=vault)


async def find(tx: Tx, *, refund_id: UUID, vault: Vault) -> Payee | None:
    sealed = await tx.fetchval("SELECT sealed FROM refund_payees WHERE refund_id = $1", refund_id)
    return unseal(sealed, vault) if sealed is not None else None
