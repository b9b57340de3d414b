"""Ways for a letter to leave the house: what they take, and what they tell."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Fate(StrEnum):
    """What became of one try to send a letter."""

    SENT = "sent"
    REFUSED = "refused"  # for good: trying again would not help
    DELAYED = "delayed"  # not now, perhaps later
    UNKNOWN = "unknown"  # all was handed over, and no answer came
    UNREACHABLE = "unreachable"  # nobody to hand it to: no news about this letter


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fate, and the words of whoever decided it."""

    fate: Fate
    reply: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter in its envelope."""

    message_id: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    content: bytes

    @property
    def needs_utf8(self) -> bool:
        """Whether the address has signs that only some mail servers take."""
        return not self.recipient.isascii()


class Channel(Protocol):
    """Sends one mail at a time, as often side by side as it is asked to."""

    async def send(self, mail: Mail) -> Outcome:
        """Send, and tell what became of it. Raises only for defects."""

    async def close_idle(self) -> None:
        """Close what was not used for a while."""

    async def close(self) -> None:
        """Close everything."""
