"""Waiting for something to become so, instead of for a while."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable

# Nothing a test waits for takes this long; what does never comes.
PATIENCE_SECONDS = 30.0


async def eventually(
    is_so: Callable[[], object], *, seconds: float = PATIENCE_SECONDS, every: float = 0.02
) -> None:
    """Wait until something is so; fail when it is still not after the time given.

    Whoever asks by opening pages leaves the machine some time `every` now and then.
    """
    async with asyncio.timeout(seconds):
        while True:
            so = is_so()
            if await so if isawaitable(so) else so:
                return
            await asyncio.sleep(every)
