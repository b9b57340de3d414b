"""A crowd of browsers: connections that each send one request after the other, and note the answer.

Written on asyncio's protocols, with requests made beforehand: it costs a small part of what an
answer costs, which the rate against a bare server shows.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import quantiles
from typing import cast
from urllib.parse import urlsplit

import uvloop

# No run takes longer; what does is stuck.
LONGEST_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What one request was told. Status 0: the connection broke, and nobody knows."""

    number: int
    status: int
    location: str
    seconds: float


@dataclass(frozen=True)
class Load:
    """What a crowd was told, how long all of it took, and how busy the crowd itself was."""

    answers: Sequence[Answer]
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return len(self.answers) / self.seconds

    @property
    def busy(self) -> float:
        """The share of one core that making the load took: near 1, it was the bottleneck."""
        return self.cpu_seconds / self.seconds

    def percentile(self, percent: int) -> float:
        return quantiles([answer.seconds for answer in self.answers], n=100)[percent - 1]

    def told(self, status: int) -> list[Answer]:
        return [answer for answer in self.answers if answer.status == status]


class _Browser(asyncio.Protocol):
    """One connection: sends the next request as soon as the last is answered."""

    def __init__(self, requests: Iterator[tuple[int, bytes]], answers: list[Answer]) -> None:
        self._requests, self._answers = requests, answers
        self._received = b""
        self._number, self._sent_at = -1, 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._send_next()

    def _send_next(self) -> None:
        following = next(self._requests, None)
        if following is None:
            self._number = -1
            self._transport.close()
            return
        self._number, request = following
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end]
        length = int(_field(head, b"Content-Length") or 0)
        if len(self._received) < end + 4 + length:
            return
        self._received = b""
        self._note(int(head[9:12]), _field(head, b"Location").decode())
        if _field(head, b"Connection") == b"close":
            self._transport.close()
            return
        self._send_next()

    def _note(self, status: int, location: str) -> None:
        seconds = time.perf_counter() - self._sent_at
        self._answers.append(Answer(self._number, status, location, seconds))
        self._number = -1

    def connection_lost(self, error: Exception | None) -> None:
        if self._number >= 0:
            self._note(0, "")
        if not self.done.done():
            self.done.set_result(None)


def _field(head: bytes, name: bytes) -> bytes:
    start = head.find(b"\r\n" + name + b": ")
    if start < 0:
        return b""
    start += len(name) + 4
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None]


def send(url: str, requests: Sequence[bytes], *, connections: int) -> Load:
    """Send all, in their order, over so many connections."""
    return uvloop.run(_send(url, requests, connections))


async def _send(url: str, requests: Sequence[bytes], connections: int) -> Load:
    address = urlsplit(url)
    waiting, answers = iter(enumerate(requests)), list[Answer]()
    loop = asyncio.get_running_loop()
    began, cpu = time.perf_counter(), time.process_time()
    async with asyncio.timeout(LONGEST_SECONDS):
        browsers = await asyncio.gather(
            *(
                loop.create_connection(
                    lambda: _Browser(waiting, answers), str(address.hostname), address.port or 80
                )
                for _ in range(connections)
            )
        )
        await asyncio.gather(*(browser.done for _, browser in browsers))
    return Load(answers, time.perf_counter() - began, time.process_time() - cpu)


class Crowd:
    """The crowd in a process of its own, so that nothing of ours shares its core with it."""

    def __init__(self) -> None:
        self._processes = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    async def send(self, url: str, requests: Sequence[bytes], *, connections: int) -> Load:
        loop = asyncio.get_running_loop()
        task = loop.run_in_executor(self._processes, _send_plainly, url, requests, connections)
        return await task

    def close(self) -> None:
        self._processes.shutdown()


def _send_plainly(url: str, requests: Sequence[bytes], connections: int) -> Load:
    return send(url, requests, connections=connections)


def post(url: str, path: str, body: bytes, *, headers: dict[str, str], content_type: str) -> bytes:
    """Write a request as a browser would."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
