"""Documents: the pictures that belong to a registration. Sole writer of the `documents` table.

A file is announced by its row before it is written and counts from `keep` on, so that whatever goes
wrong in between, each file has a row that says whether it is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from services.enrollment.answers import Answers
from services.enrollment.programmes import Programme, Titles
from shared.db import Tx
from shared.errors import Refused
from shared.ids import new_id
from shared.pictures import Picture

# Enough for one run of the job; it is called again while there are more.
AT_ONCE = 100


class NoSuchDocument(Refused):
    """This document was not uploaded."""

    status: ClassVar[int] = 404


class NotAskedFor(Refused):
    """This document is not asked for."""

    status: ClassVar[int] = 404


class NotReplaced(Refused):
    """Replace each document that was returned, then hand them in."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that this registration needs."""

    code: str
    titles: Titles
    hints: Titles


@dataclass(frozen=True, slots=True)
class Document:
    """One that was uploaded."""

    id: UUID
    registration_id: UUID
    document: str
    bytes: int
    width: int
    height: int
    arrived_at: datetime
    returned_why: str | None
    is_replacement: bool

    @property
    def was_returned(self) -> bool:
        """Whether it may be replaced although the registration was sent."""
        return self.returned_why is not None or self.is_replacement


COLUMNS = (
    "id, registration_id, document, bytes, width, height, arrived_at, returned_why, is_replacement"
)


def list_wanted(programme: Programme, *, answers: Answers, exam_date: date) -> list[Wanted]:
    """List what is to be uploaded, as far as the answers tell."""
    born = answers.get("birth_date")
    birth_date = date.fromisoformat(born) if born else None
    return [
        Wanted(one["code"], one["titles"], one["hints"])
        for one in programme.documents
        if one["when"] == "always"
        or (
            answers.get(one["when"]) == "yes"
            and not _is_old_enough(one.get("not_from_age"), birth_date, exam_date)
        )
    ]


def _is_old_enough(age: int | None, birth_date: date | None, exam_date: date) -> bool:
    if age is None or birth_date is None:
        return False
    birthday = (birth_date.year + age, birth_date.month, birth_date.day)
    return birthday <= (exam_date.year, exam_date.month, exam_date.day)


async def announce(
    tx: Tx, *, registration_id: UUID, document: str, picture: Picture, now: datetime
) -> UUID:
    """Say that a file is about to be written; return the id it is written under."""
    document_id = new_id(now)
    await tx.execute(
        """
        INSERT INTO documents (id, registration_id, document, bytes, width, height, arrived_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        document_id,
        registration_id,
        document,
        len(picture.content),
        picture.width,
        picture.height,
        now,
    )
    return document_id


async def keep(tx: Tx, *, document_id: UUID) -> None:
    """Let a file count that was written, instead of the one before it."""
    row = await tx.fetchrow(
        """
        SELECT registration_id, document FROM documents
         WHERE id = $1 AND state = 'arriving' FOR UPDATE
        """,
        document_id,
    )
    if row is None:
        raise NoSuchDocument  # it took so long that its file was tidied away
    was_returned = await tx.fetchval(
        """
        UPDATE documents SET state = 'dropped'
         WHERE registration_id = $1 AND document = $2 AND state = 'kept'
        RETURNING returned_why IS NOT NULL OR is_replacement
        """,
        row["registration_id"],
        row["document"],
    )
    await tx.execute(
        "UPDATE documents SET state = 'kept', is_replacement = $2 WHERE id = $1",
        document_id,
        bool(was_returned),
    )


async def list_(tx: Tx, *, registration_id: UUID) -> dict[str, Document]:
    """List what was uploaded, by what it is."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM documents WHERE registration_id = $1 AND state = 'kept'",  # noqa: S608
        registration_id,
    )
    return {row["document"]: Document(**row) for row in rows}


async def load(tx: Tx, *, registration_id: UUID, document: str) -> Document:
    kept = await list_(tx, registration_id=registration_id)
    if document not in kept:
        raise NoSuchDocument
    return kept[document]


async def return_(tx: Tx, *, registration_id: UUID, reasons: Mapping[str, str]) -> None:
    """Say what is wrong with some of them; each has to be replaced."""
    await tx.execute(
        """
        UPDATE documents
           SET is_replacement = false,
               returned_why = (SELECT text
                                 FROM unnest($2::text[], $3::text[]) AS reason (document, text)
                                WHERE reason.document = documents.document)
         WHERE registration_id = $1 AND state = 'kept'
        """,
        registration_id,
        list(reasons),
        list(reasons.values()),
    )


async def drop_unwanted(tx: Tx, *, registration_id: UUID, wanted: Sequence[Wanted]) -> None:
    """Need those no more that are not asked for any more: an answer was changed meanwhile."""
    await tx.execute(
        """
        UPDATE documents SET state = 'dropped'
         WHERE registration_id = $1 AND state = 'kept' AND document <> ALL($2::text[])
        """,
        registration_id,
        [one.code for one in wanted],
    )


async def drop(tx: Tx, *, registration_ids: Sequence[UUID]) -> None:
    """Need the files of these registrations no more."""
    await tx.execute(
        "UPDATE documents SET state = 'dropped' WHERE registration_id = ANY($1::uuid[])",
        registration_ids,
    )


async def find_unneeded(tx: Tx, *, before: datetime) -> list[UUID]:
    """Find files that count no more, or were announced and then did not come to count."""
    rows = await tx.fetch(
        """
        SELECT id FROM documents
         WHERE state = 'dropped' OR (state = 'arriving' AND arrived_at < $1)
         ORDER BY arrived_at LIMIT $2
        """,
        before,
        AT_ONCE,
    )
    return [row["id"] for row in rows]


async def forget(tx: Tx, *, document_ids: Sequence[UUID]) -> None:
    """Forget files that were removed."""
    await tx.execute(
        "DELETE FROM documents WHERE id = ANY($1::uuid[]) AND state <> 'kept'", document_ids
    )
