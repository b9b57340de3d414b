"""Answers: what candidates write in the form, and what they agree to before they do.

Sole writer of the `answers` and `consents` tables.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from services.enrollment.form_steps import Step, WholeForm
from services.enrollment.limits import REFUSED_NUMBERS, TooManyNumbers
from services.enrollment.programmes import Programme
from services.enrollment.registrations import Registration, drafts
from services.enrollment.registrations.drafts import Sent
from shared import counters
from shared.db import Tx
from shared.errors import Refused
from shared.vault import Vault

PURPOSE = "identity number"
# Enough for one run of the job; it is called again while there are more.
AT_ONCE = 1_000

Answers: TypeAlias = Mapping[str, Any]  # by field, as a form takes them


class OtherTexts(Refused):
    """These are not the texts that have to be agreed to, or not in the version they have now."""


def digest_person(vault: Vault, identity_number: str) -> bytes:
    """Tell one person from another by a digest of the ID number, however it was issued."""
    return vault.blind_index(identity_number.encode(), purpose=PURPOSE)


async def save(tx: Tx, *, draft: Registration, step: Step, vault: Vault, now: datetime) -> None:
    """Keep the answers of a step instead of those it had before."""
    answers = step.model_dump(mode="json", exclude_none=True)
    number = answers.pop("identity_number", None)
    sealed = None
    if number is not None:
        if await counters.is_over(tx, REFUSED_NUMBERS, key=str(draft.account_id), now=now):
            raise TooManyNumbers
        # The place belongs to one person from here on.
        await drafts.identify(tx, draft=draft, person=digest_person(vault, number))
        sealed = vault.encrypt(number.encode(), purpose=PURPOSE)
    await tx.execute(
        """
        INSERT INTO answers (registration_id, answers, identity_number, saved_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (registration_id) DO UPDATE
           SET answers = (answers.answers - $5::text[]) || EXCLUDED.answers,
               identity_number = COALESCE(EXCLUDED.identity_number, answers.identity_number),
               saved_at = EXCLUDED.saved_at
        """,
        draft.id,
        answers,
        sealed,
        now,
        list(type(step).model_fields),
    )


async def load(tx: Tx, *, registration_id: UUID, vault: Vault) -> Answers:
    """Load what was answered so far; nothing at first."""
    row = await tx.fetchrow(
        "SELECT answers, identity_number FROM answers WHERE registration_id = $1", registration_id
    )
    if row is None:
        return {}
    answers: dict[str, Any] = row["answers"]
    if row["identity_number"] is not None:
        number = vault.decrypt(row["identity_number"], purpose=PURPOSE)
        answers["identity_number"] = number.decode()
    return answers


async def count_refused(tx: Tx, *, account_id: UUID, now: datetime) -> None:
    """Count an ID number that was refused: nobody finds out by trying which people hold places."""
    await counters.count(tx, REFUSED_NUMBERS, key=str(account_id), now=now)


async def agree(
    tx: Tx,
    *,
    draft: Registration,
    programme: Programme,
    read: Collection[tuple[str, str]],
    language: str,
    now: datetime,
) -> None:
    """Note that all texts were agreed to which were read, by their codes and versions."""
    texts = [(consent["code"], consent["version"]) for consent in programme.consents]
    if set(read) != set(texts):
        raise OtherTexts
    await tx.execute(
        """
        INSERT INTO consents (registration_id, code, version, language, agreed_at)
        SELECT $1, code, version, $4, $5 FROM unnest($2::text[], $3::text[]) AS text (code, version)
        ON CONFLICT DO NOTHING
        """,
        draft.id,
        [code for code, _ in texts],
        [version for _, version in texts],
        language,
        now,
    )


async def has_agreed(tx: Tx, *, registration_id: UUID, programme: Programme) -> bool:
    """Tell whether all that is to be agreed to was, in the version it has now."""
    missing = await tx.fetchval(
        """
        SELECT count(*) FROM unnest($2::text[], $3::text[]) AS text (code, version)
         WHERE NOT EXISTS (SELECT FROM consents
                            WHERE registration_id = $1
                              AND consents.code = text.code AND consents.version = text.version)
        """,
        registration_id,
        [consent["code"] for consent in programme.consents],
        [consent["version"] for consent in programme.consents],
    )
    return not missing


def freeze(form: WholeForm, vault: Vault) -> Sent:
    """Take out of a complete form what stands beside the registration from then on."""
    assert form.person_name
    assert form.birth_date
    assert form.identity_number
    return Sent(
        person=digest_person(vault, form.identity_number),
        person_name=form.person_name,
        latin_name=form.latin_name,
        birth_date=form.birth_date,
        dialect=form.dialect or "",
    )


async def find_forgettable(tx: Tx, *, before: datetime) -> list[UUID]:
    """Find registrations that were never sent, ended before an instant, and left something."""
    rows = await tx.fetch(
        """
        SELECT id FROM registrations
         WHERE state IN ('lapsed', 'withdrawn', 'void') AND submitted_at IS NULL AND ended_at < $1
           AND (EXISTS (SELECT FROM answers WHERE registration_id = registrations.id)
                OR EXISTS (SELECT FROM consents WHERE registration_id = registrations.id)
                OR EXISTS (SELECT FROM documents
                            WHERE registration_id = registrations.id AND state = 'kept'))
         LIMIT $2
        """,
        before,
        AT_ONCE,
    )
    return [row["id"] for row in rows]


async def forget(tx: Tx, *, registration_ids: Sequence[UUID]) -> None:
    """Forget what was written for registrations that came to nothing."""
    for table in ("answers", "consents"):
        await tx.execute(
            f"DELETE FROM {table} WHERE registration_id = ANY($1::uuid[])",  # noqa: S608
            registration_ids,
        )
