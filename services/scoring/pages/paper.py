"""What stands on the paper of a Statement of Results."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from services.scoring.rules import seals
from services.scoring.rules.tables import Table
from services.scoring.statements import Statement
from shared.codes import qr_picture
from shared.i18n import day, language_of, mark
from shared.pdf import Pdf
from shared.settings import SETTINGS
from shared.templates import translate

STATEMENTS = web.AppKey("statements", Pdf)

CENTRE_NOTE = mark(
    "If a certificate is awarded, it reaches the centre within 4 to 8 weeks. The name here is the"
    " one that the certificate will bear: tell the centre at once if it is wrong."
)
OWN_NOTE = mark(
    "If a certificate is awarded, it is posted from the certificate day of the sitting. The name"
    " here is the one that the certificate will bear: tell the exam office at once if it is wrong."
)
NO_CERTIFICATE = mark("This statement is not a certificate.")
CHECK = mark(
    "Scan the code to see whether this statement still holds. It is signed electronically and can"
    " also be checked without us, with the keys we have published."
)
NO_PAPERS = mark(
    "Results of this exam are not broken down into papers: there is one result for the whole of it."
)
REPLACED = mark("This version was replaced. It does not hold any more.")


def describe(request: web.Request, statement: Statement, sealed: str) -> Mapping[str, Any]:
    """Everything the template needs, in the language of whoever asked."""
    table, language = statement.table, language_of(request)
    site = str(request.app[SETTINGS].public_url).rstrip("/")
    address = f"{site}{seals.PATH}{sealed}"
    return {
        "heading": translate(request, mark("Statement of Results")),
        "exam": statement.sitting.exam_titles[language],
        "warning": translate(request, REPLACED) if statement.result.replaced_at else "",
        "facts": _facts(request, statement),
        "result": _result(request, table),
        "columns": [
            translate(request, word)
            for word in (mark("Paper"), mark("Score"), mark("Most, or range"))
        ],
        "lines": [
            {
                "name": line.titles[language],
                "reached": line.reached[language],
                "out_of": line.out_of,
                "is_part": line.is_part,
            }
            for line in table.lines
        ],
        "no_papers": "" if table.has_papers else translate(request, NO_PAPERS),
        "conduct_heading": translate(request, mark("Deducted under the rules of the exam room")),
        "conduct": [titles[language] for titles in table.conduct],
        "notes": [
            translate(request, CENTRE_NOTE if statement.candidate.centre_number else OWN_NOTE),
            translate(request, NO_CERTIFICATE),
        ],
        "check": translate(request, CHECK),
        "code": qr_picture(address),
        "code_says": translate(request, mark("QR code that leads to the check of this statement")),
        "address": address,
    }


def _facts(request: web.Request, statement: Statement) -> list[list[str]]:
    candidate, sitting = statement.candidate, statement.sitting
    language = language_of(request)
    facts = [
        (mark("Name"), candidate.person_name),
        (mark("Name in Latin letters"), candidate.latin_name),
        (mark("Date of birth"), candidate.birth_date.isoformat()),
        (mark("ID number"), candidate.id_number),
        (mark("Candidate number"), candidate.candidate_number),
        (mark("Sitting"), sitting.titles[language]),
        (mark("Exam date"), day(sitting.exam_date, sitting.zone, language)),
    ]
    if candidate.centre_number:
        centre = f"{candidate.centre_number} {candidate.centre_name or ''}".strip()
        facts.append((mark("Centre"), centre))
    version = statement.result.version
    if version > 1:
        facts.append((mark("Version"), str(version)))
    return [[translate(request, name), value] for name, value in facts if value]


def _result(request: web.Request, table: Table) -> list[list[str]]:
    language = language_of(request)
    told = []
    if table.result is not None:
        told.append([translate(request, mark("Result")), table.result[language]])
    if table.score:
        out_of = f" / {table.out_of}" if table.out_of and "–" not in table.out_of else ""
        told.append([table.score_titles[language], f"{table.score}{out_of}"])
    return told
