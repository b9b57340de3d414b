"""The form in which a registrar says which documents are returned, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from multidict import MultiMapping

from services.enrollment import return_reasons
from shared.i18n import Catalogues, mark

LONGEST_WORDS = 300

NOTHING_RETURNED = mark("Choose a reason, or write one, for at least one document")
TOO_LONG = mark("Write the reason in at most 300 characters")


@dataclass
class ReturnForm:
    """For each document a prepared reason, own words, or nothing: that one is good."""

    prepared: Mapping[str, str]
    words: Mapping[str, str]
    reasons: Mapping[str, str] = field(default_factory=dict)  # what the candidate reads
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, documents: Iterable[str]) -> "ReturnForm":
        nothing = dict.fromkeys(documents, "")
        return cls(nothing, nothing)

    @classmethod
    def read(
        cls, documents: Iterable[str], posted: MultiMapping[Any], *, catalogues: Catalogues
    ) -> "ReturnForm":
        prepared = {code: str(posted.get(f"prepared-{code}", "")) for code in documents}
        words = {code: _one_line(posted.get(f"words-{code}", "")) for code in documents}
        written = {
            code: return_reasons.write(
                code, prepared=prepared[code], words=words[code], catalogues=catalogues
            )
            for code in prepared
        }
        form = cls(prepared, words, {code: reason for code, reason in written.items() if reason})
        for code, own in words.items():
            if len(own) > LONGEST_WORDS:
                form.errors[f"words-{code}"] = TOO_LONG
        if not form.reasons:
            form.errors[f"prepared-{next(iter(prepared), '')}"] = NOTHING_RETURNED
        return form


def _one_line(typed: Any) -> str:
    """Write it in one line, without what cannot be printed."""
    line = " ".join(str(typed).split())
    return "".join(letter for letter in line if letter.isprintable())
