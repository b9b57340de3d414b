"""Scores of the Hakka exams for tests: with every section so good that it decides nothing."""

from collections.abc import Mapping
from decimal import Decimal

Scores = dict[str, dict[str, Decimal | int]]

# The most points of every part, as the regulations print them.
BASIC = {"listening": {"all": 30}, "speaking": {"all": 50}, "reading": {"all": 20}}
INTERMEDIATE = {
    "listening": {"all": 70},
    "speaking": {"all": 108},
    "reading": {"all": 70},
    "writing": {"sentences": 18, "essay": 20, "phonetic_spelling": 14},
}
ADVANCED = {
    "listening": {"all": 60},
    "speaking": {"all": 72},
    "reading": {"all": 72},
    "writing": {"essays": 80, "sentence_transcription": 16},
}
MOST: dict[str, dict[str, dict[str, int]]] = {
    "hakka-basic": BASIC,
    "hakka-intermediate": INTERMEDIATE,
    "hakka-advanced": ADVANCED,
}


def basic(listening: Decimal | int, speaking: Decimal | int, reading: Decimal | int) -> Scores:
    return {
        "listening": {"all": listening},
        "speaking": {"all": speaking},
        "reading": {"all": reading},
    }


def changed(exam: str, **parts: Decimal | int) -> Scores:
    """Take the most points but for some parts, named section or section_part."""
    scores: Scores = {section: dict(most) for section, most in MOST[exam].items()}
    for name, points in parts.items():
        section, _, part = name.partition("_")
        assert (part or "all") in scores[section]
        scores[section][part or "all"] = points
    return scores


def total(scores: Mapping[str, Mapping[str, Decimal | int]]) -> Decimal:
    return Decimal(sum(points for parts in scores.values() for points in parts.values()))
