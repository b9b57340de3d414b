"""The five services as the documents see them: what each one offers and what it listens to."""

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.all_in_one import ENTRIES
from shared.events import Event
from shared.web import Audience

ROOT = Path(__file__).parents[2]

# Nothing is started: a service only has to be willing to say what it would offer.
NEVER_USED = {
    "database_url": "postgresql://localhost/none",
    "EXAMHALL_AMQP_URL": "amqp://localhost/",
    "EXAMHALL_PUBLIC_URL": "http://localhost",
    "EXAMHALL_SECRET_KEY": "A" * 43,
    "documents_url": "file:///nowhere",
    # Notify's: everything it can offer.
    "channel": "mailbox",
    "bounce_secret": "A" * 43,
}


@dataclass(frozen=True, slots=True)
class Part:
    """One service."""

    name: str
    sentence: str
    audiences: Sequence[Audience]
    hears: frozenset[type[Event]]

    def sends(self, event: type[Event]) -> bool:
        """An event's first word is the service that publishes it; every service has an audit."""
        owner = event.name.partition(".")[0]
        return owner in {self.name, "audit"}


def list_parts() -> list[Part]:
    parts = []
    for entry in ENTRIES:
        settings = entry.settings.model_validate(NEVER_USED)
        parts.append(
            Part(
                entry.name,
                (sys.modules[entry.create_app.__module__].__doc__ or "").strip(),
                entry.create_app(settings).audiences,
                frozenset(entry.create_worker(settings).handlers),
            )
        )
    return parts


def read_version() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    return version
