"""A mail server that keeps what it is given, and misbehaves as it is told to.

`python -m tests.smtp_sink PORT JOURNAL` runs one that has written each mail's name to the journal,
and to the disk, before it says yes.
"""

import argparse
import asyncio
import base64
import os
import random
import re
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from enum import Enum, auto
from pathlib import Path

import uvloop


class Mischief(Enum):
    """What a server may do instead of answering."""

    CUT = auto()  # break the connection instead of answering
    CUT_AFTER = auto()  # answer, then break the connection
    HANG = auto()  # never answer


Answer = str | Mischief
NAME = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Taken:
    """A mail the server has taken, whether or not it got round to saying so."""

    session: int
    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = BytesParser(policy=policy.default).parsebytes(self.content)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class Sink:
    """A mail server. Whatever is set here holds from the next command on."""

    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    must_start_tls: bool = False
    greeting: str = "220 sink"
    takes_utf8: bool = False
    takes_sessions: int = 1_000  # at once; whoever comes then is sent away
    # What is answered, by what was said; each may be asked to misbehave.
    at_mail: Callable[[str], Answer] = lambda sender: "250 ok"
    at_rcpt: Callable[[str], Answer] = lambda recipient: "250 ok"
    at_data: Callable[[str], Answer] = lambda recipient: "354 go on"
    at_end: Callable[[Taken], Answer] = lambda mail: "250 taken"
    keep: Callable[[Taken], None] = lambda mail: None
    longest_dawdle: float = 0.0  # between keeping a mail and saying so

    mails: list[Taken] = field(default_factory=list)
    sessions: int = 0
    open_sessions: int = 0
    most_open_sessions: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        self.open_sessions += 1
        self.most_open_sessions = max(self.most_open_sessions, self.open_sessions)
        try:
            await _Session(self, self.sessions, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_sessions -= 1
            writer.transport.abort()


class _Over(ConnectionError):
    """The session has ended."""


@dataclass
class _Session:
    sink: Sink
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sender: str = ""
    recipient: str = ""
    is_encrypted: bool = False
    is_known: bool = False

    async def run(self) -> None:
        if self.sink.open_sessions > self.sink.takes_sessions:
            await self.say("421 too many connections")
            raise _Over
        await self.say(self.sink.greeting)
        while line := await self.reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            await self.obey(verb.upper(), rest)

    async def obey(self, verb: str, rest: str) -> None:  # noqa: C901 (it is the protocol)
        sink = self.sink
        match verb:
            case "EHLO":
                await self.introduce()
            case "STARTTLS" if sink.tls:
                await self.say("220 go ahead")
                await self.writer.start_tls(sink.tls)
                self.is_encrypted = True
            case "AUTH" if sink.login:
                name, password = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
                self.is_known = (name, password) == sink.login
                await self.say("235 welcome" if self.is_known else "535 wrong password")
            case "MAIL" if sink.must_start_tls and not self.is_encrypted:
                await self.say("530 STARTTLS first")
            case "MAIL" if sink.login and not self.is_known:
                await self.say("530 who are you?")
            case "MAIL":
                self.sender = _address(rest)
                await self.say(sink.at_mail(self.sender))
            case "RCPT":
                self.recipient = _address(rest)
                await self.say(sink.at_rcpt(self.recipient))
            case "DATA":
                await self.take()
            case "RSET" | "NOOP":
                await self.say("250 ok")
            case "QUIT":
                await self.say("221 bye")
                raise _Over
            case _:
                await self.say("502 what?")

    async def introduce(self) -> None:
        offers = ["sink"]
        if self.sink.tls and not self.is_encrypted:
            offers.append("STARTTLS")
        if self.sink.login:
            offers.append("AUTH PLAIN")
        if self.sink.takes_utf8:
            offers.append("SMTPUTF8")
        *first, last = offers
        await self.say("".join(f"250-{offer}\r\n" for offer in first) + f"250 {last}")

    async def take(self) -> None:
        answer = self.sink.at_data(self.recipient)
        await self.say("354 go on" if answer is Mischief.CUT_AFTER else answer)
        if answer is Mischief.CUT_AFTER:
            raise _Over
        if answer != "354 go on":
            return
        body = await self.reader.readuntil(b"\r\n.\r\n")
        content = body[:-3].replace(b"\r\n..", b"\r\n.")
        taken = Taken(self.number, self.sender, self.recipient, content)
        answer = self.sink.at_end(taken)
        if isinstance(answer, Mischief) or answer.startswith("2"):
            self.sink.keep(taken)
            self.sink.mails.append(taken)
        if self.sink.longest_dawdle:
            await asyncio.sleep(random.uniform(0, self.sink.longest_dawdle))
        await self.say("250 taken" if answer is Mischief.CUT_AFTER else answer)
        if answer is Mischief.CUT_AFTER:
            raise _Over

    async def say(self, answer: Answer) -> None:
        match answer:
            case Mischief.HANG:
                await self.reader.read()  # until the other side loses patience
                raise _Over
            case Mischief():
                raise _Over
        self.writer.write(answer.encode() + b"\r\n")
        await self.writer.drain()


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]


@asynccontextmanager
async def running(sink: Sink, *, tls_at_once: bool = False, port: int = 0) -> AsyncIterator[Sink]:
    server = await asyncio.start_server(
        sink.serve, "127.0.0.1", port, limit=1 << 20, ssl=sink.tls if tls_at_once else None
    )
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()


def _name(taken: Taken) -> bytes:
    found = NAME.search(taken.content)
    return found[1] if found else b"?"


def _address_and_time(taken: Taken) -> bytes:
    return f"{taken.recipient} {time.time():.6f}".encode()


def _keep_in(
    journal: int, tell: Callable[[Taken], bytes], *, to_the_disk: bool
) -> Callable[[Taken], None]:
    """Write down what there is to tell of each message."""

    def keep(taken: Taken) -> None:
        os.write(journal, tell(taken) + b"\n")
        if to_the_disk:
            os.fdatasync(journal)

    return keep


class _Forgetful(list[Taken]):
    """The journal is enough."""

    def append(self, taken: Taken) -> None:
        pass


async def _main(told: argparse.Namespace) -> None:
    file = os.open(told.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    tell = _address_and_time if told.recipients else _name
    keep = _keep_in(file, tell, to_the_disk=not told.quick)
    sink = Sink(keep=keep, mails=_Forgetful(), longest_dawdle=told.dawdle)
    async with running(sink, port=told.port):
        print("ready", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.smtp_sink")
    parser.add_argument("port", type=int)
    parser.add_argument("journal", type=Path)
    parser.add_argument("--quick", action="store_true", help="do not wait for the disk")
    parser.add_argument("--dawdle", type=float, default=0.0, help="seconds, at most, before a yes")
    parser.add_argument(
        "--recipients", action="store_true", help="write down whom a mail is for, and when it came"
    )
    uvloop.run(_main(parser.parse_args()))


@asynccontextmanager
async def started(
    port: int, journal: Path, *words: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server in a process of its own, ready to take mails."""
    process = await start(port, journal, *words)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def start(port: int, journal: Path, *words: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.smtp_sink", str(port), str(journal), *words),
        cwd=Path(__file__).parents[1],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert await process.stdout.readline() == b"ready\n"
    return process


if __name__ == "__main__":
    main()
