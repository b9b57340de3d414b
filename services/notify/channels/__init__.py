"""Ways for a letter to leave the house: what they take, and what they tell."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias


class Fate(StrEnum):
    """What became of one try to send a letter."""

    SENT = "sent"
    REFUSED = "refused"  # for good: trying again would not help
    DELAYED = "delayed"  # not now, perhaps later
    UNKNOWN = "unknown"  # all was handed over, and no answer came
    UNREACHABLE = "unreachable"  # nobody to hand it to: no news about this letter
    UNTRIED = "untried"  # it was not to be handed over any more


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


# Asked when all is ready for a mail to be handed over: waits until it may be, or says no.
MayGo: TypeAlias = Callable[[], Awaitable[bool]]


class Channel(Protocol):
    """Sends one mail at a time, as often side by side as it is asked to."""

    async def send(self, mail: Mail, may_go: MayGo) -> Outcome:
        """Send, and tell what became of it. Raises only for defects."""

    async def close_idle(self) -> None:
        """Close what was not used for a while."""

    async def close(self) -> None:
        """Close everything."""
