"""Waiting for something to become so, instead of for a while."""

import asyncio
from collections.abc import Awaitable, Callable

# Nothing a test waits for takes this long; what does never comes.
PATIENCE_SECONDS = 30.0


async def eventually(
    is_so: Callable[[], Awaitable[object]], *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Wait until something is so; fail when it is still not after the time given."""
    async with asyncio.timeout(seconds):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.02)
