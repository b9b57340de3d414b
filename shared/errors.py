"""Refusals: the outcomes we expect, named where they are raised and shown at the edge."""

from collections.abc import Mapping
from typing import ClassVar


class Refused(Exception):
    """The request was understood and the answer is no.

    A subclass is named as a fact, and its docstring is the sentence a person reads; the catalogues
    translate it.
    """

    status: ClassVar[int] = 409
    retry_after_seconds: int | None = None  # known to the class, or to this one refusal

    @property
    def sentence(self) -> str:
        """The English sentence, which is also its key in the catalogues."""
        return " ".join((type(self).__doc__ or "").split())

    def __str__(self) -> str:
        return self.sentence


class Busy(Refused):
    """Very many people are here right now. Nothing was lost; please try again in a few seconds."""

    status = 503
    retry_after_seconds = 3


class SignedOut(Refused):
    """Please sign in first."""

    status = 401


class NotAllowed(Refused):
    """Your account may not see this page."""

    status = 403


class NoSuchPage(Refused):
    """There is nothing at this address. It may have been moved or typed wrongly."""

    status = 404


class ForeignForm(Refused):
    """This form came from another site, so nothing was done. Please open it here and try again."""

    status = 403


class WrongFields(Refused):
    """Some of what was sent cannot be accepted; `errors` says of each field what is wrong."""

    status = 422

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = errors
