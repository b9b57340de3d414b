"""A cable between a client and a server of ours, which a test may cut, hold still and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Cable:
    """Carries TCP connections from a port of its own to the server of an address."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def url(self) -> str:
        """The server's address at this end of the cable."""
        login, _, _ = self._parts.netloc.rpartition("@")
        return self._parts._replace(netloc=f"{login}@127.0.0.1:{self._port}").geturl()

    async def mend(self) -> None:
        """Take connections, at the same port as ever, and let what is held flow."""
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._join, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self) -> None:
        """Keep connections open and let nothing through, as a server that hangs does."""
        self._flowing.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            there = await asyncio.open_connection(self._parts.hostname, self._parts.port)
            self._writers.add(there[1])
            if self._server is None:
                there[1].transport.abort()
                return  # it was cut while this connection was on its way
            await asyncio.wait(
                [
                    asyncio.create_task(self._carry(reader, there[1])),
                    asyncio.create_task(self._carry(there[0], writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
            there[1].transport.abort()
            self._writers.discard(there[1])
        except (OSError, asyncio.CancelledError):
            pass  # as when a wire breaks: there is nobody to tell
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass


@asynccontextmanager
async def lay(url: str) -> AsyncIterator[Cable]:
    """Lay a cable to the server of an address, whole; take it away at the end."""
    cable = Cable(url)
    await cable.mend()
    try:
        yield cable
    finally:
        await cable.cut()
