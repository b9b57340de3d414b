"""Which fault strikes when: drawn from a seed, so that a run can be had again."""

import random
from dataclasses import dataclass
from enum import StrEnum


class Blow(StrEnum):
    """How something ends."""

    KILL = "kill -9"
    TERM = "SIGTERM"


RELAYS = ("relay-1", "relay-2")
CONSUMERS = ("consumer-1", "consumer-2")
PUBLISHER = "publisher"
BROKER = "rabbitmq"
DATABASE = "postgres"

# A round of faults: each round strikes all of these in another order, so that even a short run
# leaves none out. The servers take seconds to come back: they are struck more rarely.
ROUND: tuple[tuple[Blow, tuple[str, ...]], ...] = (
    (Blow.KILL, RELAYS),
    (Blow.KILL, RELAYS),
    (Blow.KILL, CONSUMERS),
    (Blow.KILL, CONSUMERS),
    (Blow.KILL, CONSUMERS),
    (Blow.KILL, (PUBLISHER,)),
    (Blow.KILL, (BROKER,)),
    (Blow.KILL, (DATABASE,)),
    (Blow.TERM, RELAYS),
    (Blow.TERM, CONSUMERS),
    (Blow.TERM, (PUBLISHER,)),
)
SHORTEST_GAP, LONGEST_GAP = 0.3, 3.5
LONGEST_ABSENCE = 2.0


@dataclass(frozen=True)
class Fault:
    """Something ends at an instant of the run, and begins again after its absence."""

    at: float
    blow: Blow
    target: str
    absence: float

    @property
    def kind(self) -> str:
        return f"{self.blow} {self.target.partition('-')[0]}"


def draw(seed: int, seconds: float) -> list[Fault]:
    """Draw the faults of a run."""
    dice = random.Random(seed)
    faults: list[Fault] = []
    at = 1.0  # let it get going
    while True:
        for blow, targets in dice.sample(ROUND, len(ROUND)):
            at += dice.uniform(SHORTEST_GAP, LONGEST_GAP)
            if at > seconds:
                return faults
            absence = dice.uniform(0, LONGEST_ABSENCE)
            faults.append(Fault(at, blow, dice.choice(targets), absence))
