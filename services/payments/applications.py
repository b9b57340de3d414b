"""Applications: candidates ask for their money back, with reasons and proofs (§玖).

Writes `refund_applications` and `refund_proofs`. One person of finance recommends, another decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from services.payments import order_book, payees, refunds, rules
from services.payments.application_book import (
    COLUMNS,
    PROOF_PURPOSE,
    PURPOSE,
    Application,
    NoSuchApplication,
    read,
    unseal,
)
from services.payments.exam_days import EXAM_DATE
from services.payments.payees import Payee
from services.payments.refunds import AlreadyDone, FourEyes, NewRefund
from shared import audit, outbox
from shared.db import Tx
from shared.errors import Refused
from shared.events.payments import ApplicationRefused
from shared.vault import Vault

MOST_PROOFS = 5
LARGEST_PROOF_BYTES = 3 * 1024 * 1024
# By what a file begins with, whatever its name says.
PROOF_TYPES = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


class NothingToRefund(Refused):
    """Nothing was paid for this registration, or all of it has gone back already."""


class TooLateToApply(Refused):
    """Applications for money back could be made until the end of the month of the exam."""


class ProofMissing(Refused):
    """This reason needs at least one proof."""


class NotAProof(Refused):
    """A proof is a PDF, JPEG or PNG file of at most 3 MB, and there are at most five of them."""


class AppliedBefore(Refused):
    """You have applied for this refund before. It is being looked at, or has been granted."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A file that proves a reason."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        if len(self.content) <= LARGEST_PROOF_BYTES:
            for beginning, media_type in PROOF_TYPES.items():
                if self.content.startswith(beginning):
                    return media_type
        raise NotAProof


async def apply(
    tx: Tx,
    *,
    registration_id: UUID,
    account_id: UUID,
    reason: str,
    statement: str,
    payee: Payee,
    proofs: Sequence[Proof],
    vault: Vault,
    zone: ZoneInfo,
    now: datetime,
) -> UUID:
    """Apply for one's own money back."""
    item = await tx.fetchrow(
        f"""
        SELECT order_id, {EXAM_DATE} AS exam_date
          FROM order_items AS item JOIN orders ON orders.id = order_id
         WHERE registration_id = $1 AND account_id = $2
           AND state IN ('paid', 'partly_refunded') FOR NO KEY UPDATE OF orders
        """,  # noqa: S608 (a constant)
        registration_id,
        account_id,
    )
    if item is None or await _find_left(tx, registration_id, reason) is None:
        raise NothingToRefund
    if now >= rules.apply_by(item["exam_date"], zone):
        raise TooLateToApply
    if rules.needs_proof(reason) and not proofs:
        raise ProofMissing
    if len(proofs) > MOST_PROOFS:
        raise NotAProof
    application_id: UUID | None = await tx.fetchval(
        """
        INSERT INTO refund_applications
               (id, order_id, registration_id, account_id, reason, sealed, applied_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (registration_id) WHERE state <> 'refused' DO NOTHING
        RETURNING id
        """,
        uuid4(),
        item["order_id"],
        registration_id,
        account_id,
        reason,
        _seal(statement, payee, vault),
        now,
    )
    if application_id is None:
        raise AppliedBefore
    await _keep_proofs(tx, application_id, proofs, vault, now=now)
    await _record(tx, account_id, "refund_applied_for", application_id, reason=reason)
    return application_id


async def _keep_proofs(
    tx: Tx, application_id: UUID, proofs: Sequence[Proof], vault: Vault, *, now: datetime
) -> None:
    await tx.executemany(
        """
        INSERT INTO refund_proofs (id, application_id, name, media_type, sealed, sent_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        [
            (
                uuid4(),
                application_id,
                proof.name,
                proof.media_type,
                vault.encrypt(proof.content, purpose=PROOF_PURPOSE),
                now,
            )
            for proof in proofs
        ],
    )


async def recommend(
    tx: Tx, *, application_id: UUID, verdict: str, words: str, actor: UUID, now: datetime
) -> None:
    """Recommend to grant or to refuse it; a colleague decides."""
    done = await tx.fetchval(
        """
        UPDATE refund_applications
           SET state = 'recommended', verdict = $2, words = $3, recommended_by = $4,
               recommended_at = $5
         WHERE id = $1 AND state = 'sent' RETURNING true
        """,
        application_id,
        verdict,
        words,
        actor,
        now,
    )
    if not done:
        raise AlreadyDone
    await _record(tx, actor, "application_recommended", application_id, verdict=verdict)


async def send_back(tx: Tx, *, application_id: UUID, actor: UUID) -> None:
    """Do not follow a recommendation: the application waits for another."""
    done = await tx.fetchval(
        """
        UPDATE refund_applications
           SET state = 'sent', verdict = NULL, words = '', recommended_by = NULL,
               recommended_at = NULL
         WHERE id = $1 AND state = 'recommended' RETURNING true
        """,
        application_id,
    )
    if not done:
        raise AlreadyDone
    await _record(tx, actor, "application_sent_back", application_id)


async def decide(
    tx: Tx, *, application_id: UUID, actor: UUID, vault: Vault, now: datetime
) -> Application:
    """Follow a colleague's recommendation. What is granted goes back at once, as the rule says."""
    row = await tx.fetchrow(
        f"SELECT sealed, {COLUMNS} FROM refund_applications"  # noqa: S608 (a constant)
        " WHERE id = $1 FOR NO KEY UPDATE",
        application_id,
    )
    if row is None:
        raise NoSuchApplication
    application = read(row)
    if application.state != "recommended" or application.recommended_by is None:
        raise AlreadyDone
    if application.recommended_by == actor:
        raise FourEyes
    is_granted = application.verdict == "grant"
    refund_id = None
    if is_granted:
        refund_id = await _grant(tx, application, actor=actor, now=now)
        _, payee = unseal(row["sealed"], vault)
        sealed = payees.seal(payee, vault)
        await payees.put(tx, refund_id=refund_id, sealed=sealed, actor=str(actor), now=now)
    decided = await tx.fetchrow(
        f"""
        UPDATE refund_applications
           SET state = $2, decided_by = $3, decided_at = $4, refund_id = $5
         WHERE id = $1 RETURNING {COLUMNS}
        """,  # noqa: S608 (a constant)
        application_id,
        "granted" if is_granted else "refused",
        actor,
        now,
        refund_id,
    )
    assert decided is not None
    await _record(tx, actor, f"application_{decided['state']}", application_id)
    if not is_granted:  # what is granted is told with its refund
        order = await order_book.load_any(tx, order_id=application.order_id)
        refused = ApplicationRefused(
            **order.told, application_id=application_id, words=application.words, refused_at=now
        )
        await outbox.publish(tx, [refused])
    return read(decided)


async def _grant(tx: Tx, application: Application, *, actor: UUID, now: datetime) -> UUID:
    found = await _find_left(tx, application.registration_id, application.reason)
    if found is None or application.recommended_by is None:
        raise NothingToRefund
    capture_id, amount_twd = found
    reason = rules.APPLICATION_REASONS[application.reason]
    refund = NewRefund(uuid4(), capture_id, application.registration_id, reason, amount_twd, now)
    await refunds.grant(
        tx, refund=refund, proposed_by=application.recommended_by, approved_by=actor, now=now
    )
    return refund.id


async def _find_left(tx: Tx, registration_id: UUID, reason: str) -> tuple[UUID, int] | None:
    """Find the money that paid for a registration, and how much of it may go back."""
    row = await tx.fetchrow(
        """
        SELECT captures.id, item.amount_twd FROM order_items AS item
          JOIN captures ON captures.order_id = item.order_id AND captures.kind = 'order'
         WHERE registration_id = $1
        """,
        registration_id,
    )
    if row is None:
        return None
    most = rules.refundable(row["amount_twd"], rules.APPLICATION_REASONS[reason])
    left = await refunds.lock_left(
        tx, capture_id=row["id"], registration_id=registration_id, most_twd=most
    )
    return (row["id"], left) if left else None


def _seal(statement: str, payee: Payee, vault: Vault) -> bytes:
    words = {"statement": statement, "payee": payee}
    return vault.encrypt(to_json(words), purpose=PURPOSE)


async def _record(tx: Tx, actor: UUID, act: str, application_id: UUID, **details: object) -> None:
    line = audit.Line(str(actor), act, f"application {application_id}", details)
    await audit.record(tx, [line])
