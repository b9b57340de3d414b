"""What a benchmark found: a table for people and, as the very last line, one JSON object."""

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One thing that was measured."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Ratio:
    """A figure against its yardstick. Without a target it is only told."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""


@dataclass(frozen=True)
class Report:
    """Everything one benchmark found."""

    name: str
    what: str
    figures: Sequence[Figure]
    ratios: Sequence[Ratio]

    @property
    def is_met(self) -> bool:
        return all(ratio.is_met for ratio in self.ratios)


def print_table(report: Report) -> None:
    print(f"\n{report.name}: {report.what}")
    for figure in report.figures:
        print(f"  {figure.name:<58} {figure.value:>12,.6g} {figure.unit}")
    for ratio in report.ratios:
        verdict = f"{ratio.target}  {'met' if ratio.is_met else 'MISSED'}" if ratio.target else ""
        print(f"  {ratio.name:<58} {ratio.value:>12.2f} x  {verdict}".rstrip(), flush=True)


def print_json(reports: Sequence[Report]) -> None:
    """Print the last line, for machines."""
    print(json.dumps({"benchmarks": [_as_json(report) for report in reports]}))


def _as_json(report: Report) -> dict[str, object]:
    return {
        "name": report.name,
        "figures": {_key(f.name, f.unit): round(f.value, 3) for f in report.figures},
        "ratios": {_key(ratio.name): round(ratio.value, 3) for ratio in report.ratios},
        "targets": {_key(ratio.name): ratio.target for ratio in report.ratios if ratio.target},
        "met": report.is_met,
    }


def _key(*words: str) -> str:
    """A name that a program can spell."""
    text = "".join(sign if sign.isalnum() else " " for sign in " ".join(words).lower())
    return "_".join(text.split())
