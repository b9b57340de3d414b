"""Facts published by scoring."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events import Event


class ResultEvent(Event):
    """Something happened to one result; one fact for each account it is told to.

    It says that there is a result, never which.
    """

    result_id: UUID
    entry_id: UUID
    account_id: UUID
    id_number: str
    sitting: str  # its code in the catalogue
    programme: str
    exam_titles: dict[str, str]  # by language
    sitting_titles: dict[str, str]


class ResultsReleased(ResultEvent):
    """A result can be seen, and this account had been opened before: its holder gets a letter."""

    name: ClassVar[str] = "scoring.results_released.v1"

    released_at: datetime


class ResultCorrected(ResultEvent):
    """A released result was corrected; the statement had before is replaced by another."""

    name: ClassVar[str] = "scoring.result_corrected.v1"

    reason: str
    corrected_at: datetime


class OrganisationDecided(Event):
    """It was decided whether an organisation may check statements; may be decided again later."""

    name: ClassVar[str] = "scoring.organisation_decided.v1"

    organisation_id: UUID
    account_id: UUID
    organisation: str
    is_approved: bool
    reason: str
    decided_at: datetime
