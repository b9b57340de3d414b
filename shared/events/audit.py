"""Facts every service publishes about its own audit log."""

from typing import ClassVar

from shared.events import Event


class LogSealed(Event):
    """The head of a service's audit chain, told to the others so that a cut tail is noticed."""

    name: ClassVar[str] = "audit.log_sealed.v1"

    service: str
    position: int
    digest: str  # SHA-256, hex
