"""The application book: applications for money back, for those who read and decide them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic_core import from_json

from services.payments.payees import Payee
from shared import audit
from shared.db import Row, Tx
from shared.errors import Refused
from shared.i18n import mark
from shared.vault import Vault

PURPOSE = "refund application"
PROOF_PURPOSE = "refund proof"


class NoSuchApplication(Refused):
    """There is no such application."""

    status = 404


@dataclass(frozen=True, slots=True)
class Application:
    """An application as it stands, without what is sealed."""

    id: UUID
    order_id: UUID
    registration_id: UUID
    account_id: UUID
    reason: str
    state: str
    applied_at: datetime
    verdict: str | None
    words: str
    recommended_by: UUID | None
    recommended_at: datetime | None
    decided_by: UUID | None
    decided_at: datetime | None
    refund_id: UUID | None


COLUMNS = ", ".join(Application.__slots__)


def read(row: Row) -> Application:
    return Application(**{name: row[name] for name in Application.__slots__})


@dataclass(frozen=True, slots=True)
class ProofLine:
    """A proof in a list."""

    id: UUID
    name: str
    media_type: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedProof:
    """A proof, unsealed to be looked at."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OpenedApplication:
    """An application with what the candidate wrote."""

    application: Application
    statement: str
    payee: Payee
    proofs: list[ProofLine]


async def list_of_order(tx: Tx, *, order_id: UUID) -> list[Application]:
    """An order's applications, the newest first."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM refund_applications WHERE order_id = $1 ORDER BY applied_at DESC, id
        """,  # noqa: S608 (a constant)
        order_id,
    )
    return [read(row) for row in rows]


STATES = {
    "sent": mark("sent"),
    "recommended": mark("recommended"),
    "granted": mark("granted"),
    "refused": mark("refused"),
}


async def list_(
    tx: Tx, *, state: str, limit: int, after: UUID | None = None
) -> list[tuple[Application, str]]:
    """Applications in a state, the oldest first, each with the reference of its registration."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS}, (SELECT reference FROM order_items AS item
                            WHERE item.registration_id = refund_applications.registration_id)
          FROM refund_applications
         WHERE state = $1
           AND ($2::uuid IS NULL
                OR (applied_at, id) >
                   (SELECT applied_at, id FROM refund_applications WHERE id = $2))
         ORDER BY applied_at, id LIMIT $3
        """,  # noqa: S608 (a constant)
        state,
        after,
        limit,
    )
    return [(read(row), row["reference"]) for row in rows]


async def count_states(tx: Tx) -> dict[str, int]:
    """How many applications wait in each state for somebody of finance."""
    rows = await tx.fetch(
        """
        SELECT state, count(*) AS number FROM refund_applications
         WHERE state IN ('sent', 'recommended') GROUP BY state
        """
    )
    counts = {row["state"]: row["number"] for row in rows}
    return {state: counts.get(state, 0) for state in ("sent", "recommended")}


def unseal(sealed: bytes, vault: Vault) -> tuple[str, Payee]:
    words = from_json(vault.decrypt(sealed, purpose=PURPOSE))
    return words["statement"], Payee(**words["payee"])


async def open_(tx: Tx, *, application_id: UUID, vault: Vault, actor: UUID) -> OpenedApplication:
    """Read what a candidate wrote. That somebody did is on record."""
    row = await tx.fetchrow(
        f"SELECT sealed, {COLUMNS} FROM refund_applications WHERE id = $1",  # noqa: S608
        application_id,
    )
    if row is None:
        raise NoSuchApplication
    statement, payee = unseal(row["sealed"], vault)
    proofs = await tx.fetch(
        """
        SELECT id, name, media_type, sent_at FROM refund_proofs
         WHERE application_id = $1 ORDER BY sent_at, id
        """,
        application_id,
    )
    await _record(tx, actor, "application_read", application_id)
    return OpenedApplication(read(row), statement, payee, [ProofLine(**proof) for proof in proofs])


async def open_proof(tx: Tx, *, proof_id: UUID, vault: Vault, actor: UUID) -> OpenedProof:
    """Look at a proof. That somebody did is on record."""
    row = await tx.fetchrow(
        "SELECT application_id, name, media_type, sealed FROM refund_proofs WHERE id = $1", proof_id
    )
    if row is None:
        raise NoSuchApplication
    await _record(tx, actor, "proof_read", row["application_id"], proof=str(proof_id))
    content = vault.decrypt(row["sealed"], purpose=PROOF_PURPOSE)
    return OpenedProof(row["name"], row["media_type"], content)


async def _record(tx: Tx, actor: UUID, act: str, application_id: UUID, **details: object) -> None:
    line = audit.Line(str(actor), act, f"application {application_id}", details)
    await audit.record(tx, [line])
