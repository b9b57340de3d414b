"""SMTP: mails handed to a server, over a few connections that are used again and again."""

import asyncio
import contextlib
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP, SMTPResponse, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol

from services.notify.channels import Fate, Mail, MayGo, Outcome

# Servers end long or idle sessions; ending them first, between two mails, leaves nothing in doubt.
MAILS_PER_CONNECTION = 200
LONGEST_AGE_SECONDS = 300
LONGEST_IDLE_SECONDS = 20
QUIT_SECONDS = 2
# A connection that the server did not want beside the others is tried again then.
REST_SECONDS = 10
LONGEST_REPLY = 500
SHUTTING_DOWN = 421
TAKEN = {250, 251, 252}
DONE = 250
GO_ON = 354

# What it means when the connection is lost during a step.
LOST = {
    "MAIL": Fate.UNREACHABLE,
    "RCPT": Fate.DELAYED,
    "DATA": Fate.DELAYED,
    "content": Fate.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. smtps: TLS at once; smtp: STARTTLS; smtp+plain: no TLS."""

    host: str
    port: int
    scheme: str
    username: str | None
    password: str | None
    ca_file: str | None = None

    @classmethod
    def from_url(cls, url: str, *, ca_file: str | None = None) -> "Server":
        parts = urlsplit(url)
        usual = {"smtps": 465, "smtp": 587}.get(parts.scheme, 25)
        return cls(
            parts.hostname or "",
            parts.port or usual,
            parts.scheme,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            ca_file,
        )


@dataclass(slots=True, eq=False)
class _Connection:
    smtp: SMTP
    opened_at: float
    used_at: float
    mails: int = 0


class _Full(Exception):
    """The server does not want this connection; perhaps it is content with the others."""


class SmtpChannel:
    """Hands mails to one server, over a bounded number of connections."""

    def __init__(
        self, server: Server, *, local_name: str, connections: int, timeout_seconds: float
    ) -> None:
        self._server = server
        self._local_name = local_name
        self._timeout = timeout_seconds
        self._places = asyncio.Semaphore(connections)
        self._taken_places = 0
        self._idle: list[_Connection] = []
        self._tls: ssl.SSLContext | None = None

    async def send(self, mail: Mail, may_go: MayGo) -> Outcome:
        while True:
            await self._places.acquire()
            self._taken_places += 1
            leave = self._places.release
            try:
                return await self._send_once(mail, may_go)
            except _Full:
                leave = self._leave_for_a_while
            finally:
                self._taken_places -= 1
                leave()

    async def _send_once(self, mail: Mail, may_go: MayGo) -> Outcome:
        connection = self._take_idle()
        if connection is not None:
            outcome = await self._send_on(connection, mail, may_go)
            if outcome.fate is not Fate.UNREACHABLE:
                return outcome
            # It had died while it was idle, and the server has not heard of this mail.
        try:
            connection = await self._connect()
        except SMTPResponseException as error:
            if self._taken_places > 1 or any(_is_fresh(each) for each in self._idle):
                raise _Full from error
            return Outcome(Fate.UNREACHABLE, _words(error.code, error.message))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Outcome(Fate.UNREACHABLE, str(error)[:LONGEST_REPLY] or repr(error))
        return await self._send_on(connection, mail, may_go)

    def _leave_for_a_while(self) -> None:
        asyncio.get_running_loop().call_later(REST_SECONDS, self._places.release)

    async def close_idle(self) -> None:
        old = [each for each in self._idle if not _is_fresh(each)]
        self._idle = [each for each in self._idle if each not in old]
        await asyncio.gather(*(self._end(connection) for connection in old))

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._end(connection) for connection in idle))

    def _take_idle(self) -> _Connection | None:
        """Take the connection that was used last; if that is too old, all are."""
        return self._idle.pop() if self._idle and _is_fresh(self._idle[-1]) else None

    async def _connect(self) -> _Connection:
        server = self._server
        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=self._local_name,
            timeout=None,  # ours is around each step as a whole
            use_tls=server.scheme == "smtps",
            start_tls=server.scheme == "smtp",
            tls_context=self._tls_context() if server.scheme != "smtp+plain" else None,
        )
        try:
            async with asyncio.timeout(self._timeout):
                await smtp.connect()
                if smtp.is_ehlo_or_helo_needed:
                    await smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        now = asyncio.get_running_loop().time()
        return _Connection(smtp, opened_at=now, used_at=now)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._server.ca_file)
        return self._tls

    async def _send_on(self, connection: _Connection, mail: Mail, may_go: MayGo) -> Outcome:
        smtp, step = connection.smtp, "MAIL"
        if mail.needs_utf8 and not smtp.supports_extension("smtputf8"):
            self._idle.append(connection)
            return Outcome(Fate.REFUSED, "the mail server takes no address with such letters")
        options = " SMTPUTF8" if mail.needs_utf8 else ""
        try:
            async with asyncio.timeout(self._timeout):
                await _say(smtp, f"MAIL FROM:<{mail.sender}>{options}")
                step = "RCPT"
                await _say(smtp, f"RCPT TO:<{mail.recipient}>")
                step = "DATA"
                await _say(smtp, "DATA", expected={GO_ON})
            # For as long as that takes, the server waits with us.
            if not await may_go():
                smtp.close()  # at this step nothing else takes a mail back
                return Outcome(Fate.UNTRIED, "")
            protocol = _still_there(smtp)
            step = "content"
            async with asyncio.timeout(self._timeout):
                answer = await _hand_over(protocol, mail.content)
        except SMTPResponseException as error:
            await self._give_back(connection, is_open=error.code != SHUTTING_DOWN)
            return Outcome(_judge(step, error.code), _words(error.code, error.message))
        except (aiosmtplib.SMTPException, OSError) as error:  # TimeoutError is an OSError
            smtp.close()
            return Outcome(LOST[step], f"{step}: {str(error) or type(error).__name__}")
        except BaseException:
            smtp.close()
            raise
        await self._give_back(connection)
        return Outcome(Fate.SENT, _words(answer.code, answer.message))

    async def _give_back(self, connection: _Connection, *, is_open: bool | None = None) -> None:
        """Keep a connection for the next mail, unless it has served long enough.

        After a mail that was not taken it is told whether a transaction is still open.
        """
        if is_open is not None and not await self._reset(connection, is_open=is_open):
            connection.smtp.close()
            return
        now = asyncio.get_running_loop().time()
        connection.mails += 1
        connection.used_at = now
        is_old = now - connection.opened_at > LONGEST_AGE_SECONDS
        if is_old or connection.mails >= MAILS_PER_CONNECTION:
            await self._end(connection)
        else:
            self._idle.append(connection)

    @staticmethod
    async def _reset(connection: _Connection, *, is_open: bool) -> bool:
        try:
            async with asyncio.timeout(QUIT_SECONDS):
                return is_open and (await connection.smtp.rset()).code == DONE
        except (aiosmtplib.SMTPException, OSError):
            return False

    @staticmethod
    async def _end(connection: _Connection) -> None:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(QUIT_SECONDS):
                await connection.smtp.quit()
        connection.smtp.close()


async def _say(smtp: SMTP, command: str, *, expected: Collection[int] = TAKEN) -> None:
    """Say one line of the envelope. aiosmtplib's own words parse each address once more."""
    answer = await smtp.execute_command(command.encode())
    if answer.code not in expected:
        raise SMTPResponseException(answer.code, answer.message)


def _still_there(smtp: SMTP) -> SMTPProtocol:
    if smtp.protocol is None or not smtp.is_connected:
        raise SMTPServerDisconnected("it did not wait")
    return smtp.protocol


async def _hand_over(protocol: SMTPProtocol, content: bytes) -> SMTPResponse:
    """Send the content and its end. aiosmtplib's own word looks for line ends to mend, which takes
    as long as writing a letter; ours are as they should be."""
    protocol.write((b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
    answer = await protocol.read_response()
    if answer.code != DONE:
        raise SMTPResponseException(answer.code, answer.message)
    return answer


def _is_fresh(connection: _Connection) -> bool:
    now = asyncio.get_running_loop().time()
    return now - connection.used_at <= LONGEST_IDLE_SECONDS and connection.smtp.is_connected


def _judge(step: str, code: int) -> Fate:
    """Tell what a refusal means for the letter."""
    if step == "MAIL":
        return Fate.UNREACHABLE  # it is about us, and the next letter would fare no better
    if 500 <= code <= 599:
        return Fate.REFUSED
    if 400 <= code <= 499:
        return Fate.DELAYED
    return LOST[step]


def _words(code: int, message: str) -> str:
    # Servers may answer in any encoding; what cannot be read is shown as question marks.
    readable = message.encode("utf-8", "replace").decode()
    return f"{code} {' '.join(readable.split())}"[:LONGEST_REPLY]
