"""Recognising organisations: who may check statements by their numbers. Sole writer of
`organisations`."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from services.scoring import looks, statements
from services.scoring.statements import Statement
from shared import audit, entry_numbers, outbox
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.scoring import OrganisationDecided
from shared.vault import Vault

# Raised with the text of the terms: everybody is then asked again.
TERMS_VERSION = 1
STATES = ("applied", "approved", "refused")


class AlreadyApplied(Refused):
    """Your application waits for a decision, or was approved."""


class NoSuchOrganisation(Refused):
    """There is no such organisation."""

    status = 404


class NotApproved(Refused):
    """Your organisation may not check statements: it is not approved, or has not accepted the
    terms that hold now."""

    status = 403


class DecidedDifferently(Refused):
    """Somebody else decided about this organisation in the meantime. Look at it again."""


class OwnApplication(Refused):
    """This is your own application: somebody else decides about it."""

    status = 403


class NothingFits(Refused):
    """No released result fits this ID number and secret number. Check both: they stand on the
    Confirmation of Entry."""

    status = 404


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who applied, and how far they are."""

    id: UUID
    account_id: UUID
    name: str
    website: str
    purpose: str
    applied_at: datetime
    state: str
    reason: str
    decided_by: UUID | None
    decided_at: datetime | None
    terms_version: int | None
    terms_accepted_at: datetime | None

    @property
    def may_look(self) -> bool:
        return self.state == "approved" and self.terms_version == TERMS_VERSION


_COLUMNS = ", ".join(Organisation.__slots__)


def _read(row: Row) -> Organisation:
    return Organisation(**row)


async def apply(
    tx: Tx, *, account_id: UUID, name: str, website: str, purpose: str, now: datetime
) -> None:
    """Apply, or apply again after a refusal."""
    organisation_id = await tx.fetchval(
        """
        INSERT INTO organisations (id, account_id, name, website, purpose, applied_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account_id) DO UPDATE
           SET name = EXCLUDED.name, website = EXCLUDED.website, purpose = EXCLUDED.purpose,
               applied_at = EXCLUDED.applied_at, state = 'applied', reason = '',
               decided_by = NULL, decided_at = NULL, terms_version = NULL, terms_accepted_at = NULL
         WHERE organisations.state = 'refused'
        RETURNING id
        """,
        uuid4(),
        account_id,
        name,
        website,
        purpose,
        now,
    )
    if organisation_id is None:
        raise AlreadyApplied
    await _record(tx, account_id, "organisation_applied", organisation_id)


async def decide(
    tx: Tx,
    *,
    organisation_id: UUID,
    is_approved: bool,
    reason: str,
    seen: str,
    actor: UUID,
    now: datetime,
) -> None:
    """Approve or refuse; later, take an approval back. `seen` is the state it was decided on."""
    organisation = await load(tx, organisation_id=organisation_id)
    if organisation.account_id == actor:
        raise OwnApplication
    row = await tx.fetchrow(
        """
        UPDATE organisations SET state = $2, reason = $3, decided_by = $4, decided_at = $5
         WHERE id = $1 AND state = $6 AND state <> $2
        RETURNING id AS organisation_id, account_id, name AS organisation, reason, decided_at
        """,
        organisation_id,
        "approved" if is_approved else "refused",
        reason,
        actor,
        now,
        seen,
    )
    if row is None:
        raise DecidedDifferently
    await outbox.publish(tx, [OrganisationDecided(**row, is_approved=is_approved)])
    act = "organisation_approved" if is_approved else "organisation_refused"
    await _record(tx, actor, act, organisation_id)


async def accept_terms(tx: Tx, *, account_id: UUID, version: int, now: datetime) -> None:
    """Accept the terms that hold now; others were not read."""
    if version != TERMS_VERSION:
        raise NotApproved
    organisation_id = await tx.fetchval(
        """
        UPDATE organisations SET terms_version = $2, terms_accepted_at = $3
         WHERE account_id = $1 AND state = 'approved'
        RETURNING id
        """,
        account_id,
        version,
        now,
    )
    if organisation_id is None:
        raise NotApproved
    await _record(tx, account_id, "terms_accepted", organisation_id, version=version)


async def find(tx: Tx, *, account_id: UUID) -> Organisation | None:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM organisations WHERE account_id = $1",  # noqa: S608 (a constant)
        account_id,
    )
    return _read(row) if row else None


async def load(tx: Tx, *, organisation_id: UUID) -> Organisation:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM organisations WHERE id = $1",  # noqa: S608 (a constant)
        organisation_id,
    )
    if row is None:
        raise NoSuchOrganisation
    return _read(row)


async def load_looking(tx: Tx, *, account_id: UUID) -> Organisation:
    """Load the organisation of an account, if it may look."""
    organisation = await find(tx, account_id=account_id)
    if organisation is None or not organisation.may_look:
        raise NotApproved
    return organisation


async def list_(tx: Tx, *, state: str, limit: int) -> list[Organisation]:
    """Organisations in a state, whoever waits longest first."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM organisations WHERE state = $1 ORDER BY applied_at, id LIMIT $2
        """,  # noqa: S608 (a constant)
        state,
        limit,
    )
    return [_read(row) for row in rows]


async def look_up(
    tx: Tx,
    *,
    account_id: UUID,
    id_number: str,
    secret_number: str,
    vault: Vault,
    now: datetime,
) -> list[Statement]:
    """Find every version of the result that these numbers prove to be known; the look is noted.

    Of a wrong number, and of a result that is not out, one hears the same.
    """
    organisation = await load_looking(tx, account_id=account_id)
    digest = entry_numbers.digest(vault, id_number=id_number, secret_number=secret_number)
    rows = await tx.fetch(
        "SELECT entry_id, secret_digest FROM candidates WHERE id_number = $1 AND NOT is_cancelled",
        id_number,
    )
    for row in rows:
        if not hmac.compare_digest(row["secret_digest"], digest):
            continue
        versions = await statements.list_versions(tx, entry_id=row["entry_id"])
        if versions:
            await looks.note(
                tx,
                result=versions[0].result,
                looked_by=organisation.name,
                organisation_id=organisation.id,
                now=now,
            )
            entry = f"entry {row['entry_id']}"
            await audit.record(tx, [Line(str(account_id), "result_looked_up", entry, {})])
            return versions
    raise NothingFits


async def _record(tx: Tx, actor: UUID, act: str, organisation_id: UUID, **details: object) -> None:
    await audit.record(tx, [Line(str(actor), act, f"organisation {organisation_id}", details)])
