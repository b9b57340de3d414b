"""What a statement of results shows of an outcome, line by line and in every language."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from services.scoring.rules import summaries
from services.scoring.rules.data_file import Titles
from services.scoring.rules.layout import load_layout
from services.scoring.rules.outcomes import (
    Breach,
    GivenOutcome,
    ScoredOutcome,
    SectionOutcome,
    write_points,
)
from services.scoring.rules.plans import find_exam_rules
from services.scoring.rules.scheme import WHOLE, Scheme, Section, load_scheme

NOT_REPORTED = {"zh-Hant-TW": "未列", "en": "Not reported"}
NOT_COUNTED = {"zh-Hant-TW": "不予計算", "en": "Not counted"}
COUNTS = {"zh-Hant-TW": "計入", "en": "counts"}
TOTAL = {"zh-Hant-TW": "總分", "en": "Total"}
OVERALL = {"zh-Hant-TW": "總分", "en": "Overall score"}
EFFECTS: dict[str, Titles] = {
    "PointsDeducted": {"zh-Hant-TW": "扣 {points} 分", "en": "{points} points deducted"},
    "PartNotScored": {"zh-Hant-TW": "該題型不予計分", "en": "the part is not scored"},
    "SectionZeroed": {"zh-Hant-TW": "該測驗以零分計", "en": "the paper has zero points"},
    "SectionNotCounted": {"zh-Hant-TW": "該測驗不予計算", "en": "the paper is not counted"},
    "Disqualified": {"zh-Hant-TW": "取消考試資格", "en": "disqualified from this exam"},
}


@dataclass(frozen=True, slots=True)
class Line:
    """A paper or a part of one: what was reached, and of how much."""

    name: str
    titles: Titles
    reached: Titles
    out_of: str
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A result as people read it. What an exam does not have is empty."""

    result: Titles | None
    score_titles: Titles
    score: str
    out_of: str
    lines: tuple[Line, ...] = ()
    has_papers: bool = True  # the exam, even where nothing was reached in any
    conduct: tuple[Titles, ...] = ()


def lay_out(outcome: ScoredOutcome | GivenOutcome, *, programme: str) -> Table:
    if isinstance(outcome, GivenOutcome):
        return _lay_out_given(outcome)
    return _lay_out_scored(outcome, programme)


def _lay_out_given(outcome: GivenOutcome) -> Table:
    exam = load_layout(outcome.layout, outcome.version).exams[outcome.exam]
    has_word = outcome.is_absent or outcome.grade is not None
    score = "" if outcome.overall is None else str(outcome.overall)
    return Table(
        result=summaries.summarise(outcome) if has_word else None,
        score_titles=OVERALL,
        score=score,
        out_of=f"{exam.overall.lowest}–{exam.overall.highest}" if exam.overall and score else "",
        lines=tuple(
            Line(
                name,
                paper.titles,
                _everywhere(str(outcome.papers[name])) if name in outcome.papers else NOT_REPORTED,
                f"{paper.lowest}–{paper.highest}",
            )
            for name, paper in exam.papers.items()
            if not outcome.is_absent
        ),
        has_papers=bool(exam.papers),
    )


def _lay_out_scored(outcome: ScoredOutcome, programme: str) -> Table:
    scheme = load_scheme(outcome.scheme, outcome.version)
    has_score = outcome.total is not None and not outcome.is_absent
    return Table(
        result=summaries.summarise(outcome),
        score_titles=TOTAL,
        score=write_points(outcome.total or Decimal()) if has_score else "",
        out_of=write_points(scheme.maximum) if has_score else "",
        lines=tuple(
            line
            for name, section in scheme.sections.items()
            if name in outcome.sections
            for line in _lines(name, section, outcome.sections[name])
        ),
        conduct=tuple(_describe(breach, scheme, programme) for breach in outcome.conduct),
    )


def _lines(name: str, section: Section, reached: SectionOutcome) -> Iterator[Line]:
    points = _everywhere(write_points(reached.points)) if reached.is_counted else NOT_COUNTED
    yield Line(name, section.titles, points, write_points(section.maximum))
    if not reached.is_counted:
        return
    for of, part in section.parts.items():
        if of in reached.parts and of != WHOLE:
            most = write_points(part.maximum) if part.maximum is not None else ""
            scored = _everywhere(write_points(reached.parts[of]))
            yield Line(f"{name}.{of}", part.titles, scored, most, True)


def _describe(breach: Breach, scheme: Scheme, programme: str) -> Titles:
    """Say which rule was broken, where, and what it cost."""
    rules = find_exam_rules(programme)
    known = {rule.number: rule.titles for rule in rules.rules} if rules else {}
    broken = known.get(breach.rule, _everywhere(breach.rule))
    told = {}
    for language, effect in EFFECTS[breach.effect].items():
        where = [broken[language]]
        if section := scheme.sections.get(breach.section):
            where.append(section.titles[language])
            if part := section.parts.get(breach.part):
                where.append(part.titles[language])
        where.append(effect.format(points=breach.points))
        told[language] = " – ".join(where)
    return told


@dataclass(frozen=True, slots=True)
class Compared:
    """A paper, a part or a breach in two results; None: it is not in this one."""

    titles: Titles
    before: Titles | None
    after: Titles | None
    is_part: bool

    @property
    def differs(self) -> bool:
        return self.before != self.after


def compare(
    before: ScoredOutcome | GivenOutcome | None,
    after: ScoredOutcome | GivenOutcome | None,
    *,
    programme: str,
) -> list[Compared]:
    """Lay out two results of somebody beside each other, every paper with its parts below it."""
    was, will_be = (
        {line.name: line for line in _all_lines(outcome, programme)} for outcome in (before, after)
    )
    lines = was | will_be
    # One of them may have parts where the other has none.
    papers = [*dict.fromkeys(name.partition(".")[0] for name in lines)]
    return [
        Compared(
            titles=lines[name].titles,
            before=was[name].reached if name in was else None,
            after=will_be[name].reached if name in will_be else None,
            is_part=lines[name].is_part,
        )
        for name in sorted(lines, key=lambda name: papers.index(name.partition(".")[0]))
    ]


def _all_lines(outcome: ScoredOutcome | GivenOutcome | None, programme: str) -> Iterator[Line]:
    """Lay out a result with its breaches as lines like others."""
    if outcome is None:
        return
    table = lay_out(outcome, programme=programme)
    yield from table.lines
    for breach in table.conduct:
        yield Line(f"breach: {breach['en']}", breach, COUNTS, "")


def _everywhere(text: str) -> Titles:
    """The same in every language."""
    return dict.fromkeys(NOT_COUNTED, text)
