"""Proposing a correction of an approved result: other scores or breaches, and the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from services.scoring import candidates, corrections, results, rules, sittings
from services.scoring.candidates import Candidate
from services.scoring.conduct_records import Breach, RuleDoesNotApply, judge
from services.scoring.corrections import Basis, BreachesDoNotFit, NothingChanges
from services.scoring.rules import Fault, Marking, RowDoesNotFit, SchemeMarking
from services.scoring.sittings import Sitting
from services.scoring.staff import asked
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.forms import WHOLE_FORM
from shared.i18n import language_of
from shared.observe import ARRIVED_AT
from shared.templates import render, translate

LONGEST_CELL = 40


@dataclass
class Typed:
    """What was typed, and what is wrong with it: to templates, a form like others."""

    typed: Mapping[str, str]  # by column; and reason, rule and place
    is_absent: bool
    kept: list[Breach]  # breaches that still count
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def first_input(name: str) -> str:
        return name


@dataclass(frozen=True)
class Subject:
    """Whose result is to be corrected, and how it comes about."""

    candidate: Candidate
    sitting: Sitting
    marking: Marking
    basis: Basis


async def _load(tx: Tx, request: web.Request) -> Subject:
    entry_id = asked.named(request, "entry_id")
    candidate = await candidates.load(tx, entry_id=entry_id)
    sitting = await sittings.load(tx, code=candidate.sitting)
    current = await results.find_current(tx, entry_id=entry_id)
    return Subject(
        candidate,
        sitting,
        corrections.marking_of(sitting, current),
        await corrections.find_basis(tx, entry_id=entry_id),
    )


async def show_form(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        subject = await _load(tx, request)
    basis = subject.basis
    cells = subject.marking.write(basis.given) if basis.given is not None else {}
    names = ("reason", "rule", "place", *(column.key for column in subject.marking.columns))
    typed = dict.fromkeys(names, "") | cells
    return _show(request, subject, Typed(typed, basis.given is None, list(basis.breaches)))


async def propose(request: web.Request) -> web.Response:
    posted = await request.post()
    async with transaction(request.app[POOL]) as tx:
        subject = await _load(tx, request)
    names = ("rule", "place", *(column.key for column in subject.marking.columns))
    typed = Typed(
        typed={name: str(posted.get(name, "")).strip()[:LONGEST_CELL] for name in names}
        | {"reason": str(posted.get("reason", ""))},
        is_absent=posted.get("is_absent") == "yes",
        kept=[
            breach
            for breach in subject.basis.breaches
            if _key(breach) in posted.getall("breach", [])
        ],
    )
    reason, basis = _read(request, subject, typed)
    if basis is None or reason is None:
        return _show(request, subject, typed)
    try:
        async with transaction(request.app[POOL]) as tx:
            correction_id = await corrections.propose(
                tx,
                entry_id=subject.candidate.entry_id,
                basis=basis,
                reason=reason,
                actor=request[PRINCIPAL].id,
                now=request[ARRIVED_AT],
            )
    except (NothingChanges, BreachesDoNotFit) as refusal:
        typed.errors[WHOLE_FORM] = refusal.sentence
        return _show(request, subject, typed)
    raise web.HTTPSeeOther(f"/scoring/staff/results/corrections/{correction_id}")


def _read(request: web.Request, subject: Subject, typed: Typed) -> tuple[str | None, Basis | None]:
    """Read what was typed; what is wrong with it is noted there, in the order of the fields."""
    reason = None
    try:
        reason = asked.read_reason(typed.typed["reason"])
    except ValueError as wrong:
        typed.errors["reason"] = str(wrong)
    given = None
    if not typed.is_absent:
        cells = {column.key: typed.typed[column.key] for column in subject.marking.columns}
        try:
            given = subject.marking.read(cells)
        except RowDoesNotFit as wrong_cells:
            typed.errors |= _write(request, wrong_cells.faults)
    breaches = list(typed.kept)
    if typed.typed["rule"]:
        section, _, part = typed.typed["place"].partition(".")
        try:
            judge(subject.sitting, breach := Breach(typed.typed["rule"], section, part))
            breaches.append(breach)
        except RuleDoesNotApply as refusal:
            typed.errors["rule"] = refusal.sentence
    return reason, None if typed.errors else Basis(given, breaches)


def _write(request: web.Request, faults: Sequence[Fault]) -> dict[str, str]:
    """What is wrong, by column, in the order of the columns; of several the first of each."""
    language = language_of(request)
    errors: dict[str, str] = {}
    for fault in faults:
        words = fault.write(translate(request, fault.sentence), language)
        errors.setdefault(fault.column or WHOLE_FORM, words)
    return errors


def _key(breach: Breach) -> str:
    return f"{breach.rule}/{breach.section}/{breach.part}"


def _show(request: web.Request, subject: Subject, typed: Typed) -> web.Response:
    known = rules.find_exam_rules(subject.sitting.programme)
    marking = subject.marking
    return render(
        request,
        "staff/edit_correction.html",
        status=422 if typed.errors else 200,
        candidate=subject.candidate,
        sitting=subject.sitting,
        columns=marking.columns,
        form=typed,
        breaches=[
            (_key(breach), breach, breach in typed.kept) for breach in subject.basis.breaches
        ],
        rules={rule.number: rule for rule in known.rules} if known else {},
        scheme=marking.scheme if isinstance(marking, SchemeMarking) else None,
    )


ROUTES = [
    web.get("/{entry_id}/correction", show_form),
    web.post("/{entry_id}/correction", propose),
]
