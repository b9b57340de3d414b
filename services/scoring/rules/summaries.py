"""Results in a word, and many of them in figures: what came out for how many."""

from collections import Counter
from collections.abc import Iterable, Sequence

from services.scoring.rules.data_file import Titles
from services.scoring.rules.layout import load_layout
from services.scoring.rules.outcomes import GivenOutcome, ScoredOutcome
from services.scoring.rules.scheme import load_scheme

ABSENT = {"zh-Hant-TW": "缺考", "en": "Absent"}
DISQUALIFIED = {"zh-Hant-TW": "取消考試資格", "en": "Disqualified"}
NO_LEVEL = {"zh-Hant-TW": "未達標準", "en": "No level reached"}
SCORES_ONLY = {"zh-Hant-TW": "僅列分項成績", "en": "Scores of papers only"}
COMMAS = {"zh-Hant-TW": "、", "en": ", "}
# As many bars as are read at a glance.
BINS = 10

# Outcomes, and how many of each.
Outcomes = Sequence[tuple[ScoredOutcome | GivenOutcome, int]]


def summarise(outcome: ScoredOutcome | GivenOutcome) -> Titles:
    """Say in short what came out: in a word, or by paper where an exam has no word for it."""
    if isinstance(outcome, GivenOutcome) and in_a_word(outcome) is SCORES_ONLY:
        return _by_paper(outcome)
    return in_a_word(outcome)


def in_a_word(outcome: ScoredOutcome | GivenOutcome) -> Titles:
    """Say in a word what came out."""
    if outcome.is_absent:
        return ABSENT
    if isinstance(outcome, GivenOutcome):
        if outcome.grade is None:
            return SCORES_ONLY
        return load_layout(outcome.layout, outcome.version).grades[outcome.grade]
    if outcome.is_disqualified:
        return DISQUALIFIED
    levels = load_scheme(outcome.scheme, outcome.version).levels
    return next((level.titles for level in levels if level.name == outcome.level), NO_LEVEL)


def _by_paper(outcome: GivenOutcome) -> Titles:
    papers = load_layout(outcome.layout, outcome.version).exams[outcome.exam].papers
    return {
        language: comma.join(
            f"{papers[name].titles[language]} {score}" for name, score in outcome.papers.items()
        )
        for language, comma in COMMAS.items()
    }


def score_of(outcome: ScoredOutcome | GivenOutcome) -> str:
    """The one number of a result, where it has one."""
    number = outcome.total if isinstance(outcome, ScoredOutcome) else outcome.overall
    return "" if number is None or outcome.is_absent else format(number, "f")


def count_words(outcomes: Outcomes, language: str) -> list[tuple[str, int]]:
    """Count what came out: everything that could, the best first."""
    counts: Counter[str] = Counter()
    for outcome, number in outcomes:
        counts[in_a_word(outcome)[language]] += number
    possible = [titles[language] for titles in _possible(outcomes)]
    return [(word, counts[word]) for word in dict.fromkeys([*possible, *counts])]


def _possible(outcomes: Outcomes) -> Iterable[Titles]:
    first = next((outcome for outcome, _ in outcomes), None)
    if isinstance(first, ScoredOutcome):
        yield from (level.titles for level in load_scheme(first.scheme, first.version).levels)
        yield NO_LEVEL
    elif isinstance(first, GivenOutcome):
        layout = load_layout(first.layout, first.version)
        yield from (layout.grades[grade] for grade in layout.exams[first.exam].grades)
    yield ABSENT


def count_scores(outcomes: Outcomes) -> list[tuple[str, int]]:
    """Count totals or overall scores in bins of one width; none where an exam has no such score."""
    scores = [(float(text), n) for outcome, n in outcomes if (text := score_of(outcome))]
    if not scores:
        return []
    lowest, highest = _range(outcomes[0][0])
    width = -(-(highest - lowest) // BINS)
    counts: Counter[int] = Counter()
    for score, number in scores:
        counts[min(int((score - lowest) // width), BINS - 1)] += number
    return [
        (f"{lowest + at * width}–{min(lowest + (at + 1) * width - 1, highest)}", counts[at])
        if at < BINS - 1
        else (f"{lowest + at * width}–{highest}", counts[at])
        for at in range(BINS)
    ]


def _range(outcome: ScoredOutcome | GivenOutcome) -> tuple[int, int]:
    if isinstance(outcome, ScoredOutcome):
        return 0, int(load_scheme(outcome.scheme, outcome.version).maximum)
    overall = load_layout(outcome.layout, outcome.version).exams[outcome.exam].overall
    return (overall.lowest, overall.highest) if overall else (0, BINS)
