"""What became of every event: compared number by number, printed, and told to machines."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


def show(name: str, told: Mapping[str, Any], *, good: bool, in_words: str) -> None:
    """Print what a run found: a table for people and, as the last line, one JSON object."""
    print(f"\n{name} under fire")
    for target, times in sorted(told["faults"].items()):
        print(f"  {f'kill -9 {target}':<40} {times:>12,}")
    for key, value in told.items():
        if isinstance(value, int | float):
            print(f"  {key.replace('_', ' '):<40} {value:>12,}")
    for sentence in (each for value in told.values() if isinstance(value, list) for each in value):
        print(f"  {sentence}")
    print(f"  {in_words if good else 'NOT GOOD'}")
    print(json.dumps({"name": name, **told, "good": good}))


@dataclass(frozen=True)
class Comparison:
    """Published numbers against their effects."""

    lost: int  # published, without effect
    doubled: int  # with more than one effect
    invented: int  # with an effect, though their transaction never committed


def compare(published: Collection[int], effects: Mapping[int, int]) -> Comparison:
    return Comparison(
        lost=len(set(published) - effects.keys()),
        doubled=sum(times > 1 for times in effects.values()),
        invented=len(effects.keys() - set(published)),
    )


@dataclass(frozen=True)
class Verdict:
    """Everything a run found."""

    seed: int
    seconds: float
    settled_after_seconds: float
    faults: Counter[str]
    events_published: int
    messages: int
    duplicates_seen: int
    comparison: Comparison
    left_in_outbox: int
    left_in_queue: int
    dead_letters_expected: int
    dead_letters_missing: int
    dead_letters_unexpected: int
    misbehaved: Sequence[str]
    surprises: Counter[
        str
    ]  # errors that nobody foresaw; told, for what they led to is counted above

    @property
    def is_good(self) -> bool:
        return not any(
            (
                *asdict(self.comparison).values(),
                self.left_in_outbox,
                self.left_in_queue,
                self.dead_letters_missing,
                self.dead_letters_unexpected,
                len(self.misbehaved),
            )
        )

    def print(self) -> None:
        """Print a table for people and, as the last line, one JSON object."""
        print(f"\nchaos, seed {self.seed}")
        for kind, count in sorted(self.faults.items()):
            print(f"  {kind:<40} {count:>10,}")
        for name, value in self._figures().items():
            print(f"  {name.replace('_', ' '):<40} {value:>10,}")
        for sentence in self.misbehaved:
            print(f"  {sentence}")
        for error, count in self.surprises.most_common(10):
            print(f"  {count} x {error}")
        print(f"  {'nothing lost, nothing doubled' if self.is_good else 'NOT GOOD'}")
        told = {"name": "chaos", "seed": self.seed, "faults": self.faults, **self._figures()}
        told |= {"misbehaved": list(self.misbehaved), "surprises": self.surprises}
        print(json.dumps(told | {"good": self.is_good}))

    def _figures(self) -> dict[str, float]:
        left_out = {"seed", "faults", "comparison", "misbehaved", "surprises"}
        figures = {k: v for k, v in asdict(self).items() if k not in left_out}
        return figures | asdict(self.comparison)
