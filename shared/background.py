"""Something that runs beside the requests until it is told to end."""

from typing import Protocol


class Background(Protocol):
    """A loop with a beginning and a graceful end: a relay, a group commit, a schedule."""

    async def run(self) -> None:
        """Run until stopped, surviving whatever can be survived."""

    def stop(self) -> None:
        """Finish what is under way, then end."""
