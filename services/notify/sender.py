"""The sender: takes letters that are due, sends them, and records what became of each.

An edge: it opens a transaction to take letters and one to record outcomes, and sends in between.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from services.notify import bounces, letter_lists, letters, mailbox
from services.notify.channels import Channel, Fate, Mail, MayGo, Outcome
from services.notify.channels.smtp import Server, SmtpChannel
from services.notify.letters import Claim, Settlement
from services.notify.mail import Unmailable, Writer
from services.notify.rules import retry_after
from services.notify.settings import Settings
from shared import db
from shared.db import Pool, Tx, create_pool, transaction
from shared.errors import Busy, Refused
from shared.group_commit import GroupCommit, at_once
from shared.metrics import LETTERS_OLDEST, LETTERS_TRIED, LETTERS_WAITING, MAIL_SERVER_REACHED

log = structlog.get_logger()

# How long a letter may lie unnoticed. Looking at an empty queue costs a fraction of a millisecond.
POLL_SECONDS = 0.25
MEASURE_SECONDS = 5.0
# Letters taken at once for each connection: enough to keep it busy while the next are taken.
CLAIMED_PER_CONNECTION = 8
# While the mail server is away, one letter at a time is tried, less and less often.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
NOT_TRIED = {Fate.UNREACHABLE, Fate.UNTRIED}


class Sender:
    """Sends what is due. Any number of them may run side by side."""

    def __init__(self, settings: Settings, writer: Writer, channel: Channel) -> None:
        self._settings = settings
        self._writer = writer
        self._channel = channel
        self._database_url = str(settings.database_url)
        self._lease = timedelta(seconds=settings.lease_seconds)
        # A letter is handed over only if that will be on record before its lease is over.
        self._usable_seconds = settings.lease_seconds - 2 * settings.smtp_timeout_seconds
        self._capacity = settings.connections * CLAIMED_PER_CONNECTION
        self._claims: asyncio.Queue[tuple[Claim, float] | None] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._room = asyncio.Event()
        self._is_away = False  # the mail server
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._outcomes: GroupCommit[Settlement, None] = GroupCommit(
            "letter outcomes", at_once(_record), database_url=self._database_url
        )

    def stop(self) -> None:
        """Take no more letters, finish those being sent, give the others back, then end."""
        self._stopping.set()
        self._room.set()

    async def run(self) -> None:
        pool = await create_pool(self._database_url, application="notify sender", size=1)
        recording = asyncio.create_task(self._outcomes.run())
        sending = [asyncio.create_task(self._send_all()) for _ in range(self._settings.connections)]
        try:
            await self._take_all(pool)
            await self._put_back_waiting()
            for _ in sending:
                self._claims.put_nowait(None)
            await asyncio.gather(*sending)
            self._outcomes.stop()
            await recording
        finally:
            for task in (*sending, recording):
                task.cancel()
            await asyncio.gather(*sending, recording, return_exceptions=True)
            await self._channel.close()
            pool.terminate()

    async def _take_all(self, pool: Pool) -> None:
        """Take letters as long as there are senders for them, until stopped."""
        measured_at, failed_pause = float("-inf"), FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                if self._now() - measured_at > MEASURE_SECONDS:
                    measured_at = self._now()
                    await self._measure(pool)
                await self._take_some(pool)
                failed_pause = FIRST_PAUSE_SECONDS
            except Exception as error:
                # Whatever it is, the letters are safe: say so, wait, start afresh.
                log.warning(
                    "letters not taken",
                    error=repr(error),
                    again_in_seconds=failed_pause,
                    exc_info=not db.is_unavailable(error),
                )
                await self._pause(failed_pause)
                failed_pause = min(failed_pause * 2, LONGEST_PAUSE_SECONDS)

    async def _take_some(self, pool: Pool) -> None:
        if self._is_away:
            await self._pause(self._pause_seconds)
            self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        wanted = 1 if self._is_away else self._capacity - self._claims.qsize()
        taken_at = self._now()
        async with transaction(pool) as tx:
            claims = await letters.claim(tx, limit=wanted, lease=self._lease)
            marks = await bounces.find_marks(tx, address_keys=[c.recipient_key for c in claims])
            if marks:
                undeliverable = [c for c in claims if c.recipient_key in marks]
                await letters.settle(
                    tx,
                    settled=[
                        _settle(
                            c, Outcome(Fate.REFUSED, f"undeliverable: {marks[c.recipient_key]}")
                        )
                        for c in undeliverable
                    ],
                )
        for claim in claims:
            if claim.recipient_key not in marks:
                self._claims.put_nowait((claim, taken_at + self._usable_seconds))
        if len(claims) < wanted:
            await self._channel.close_idle()
            await self._pause(POLL_SECONDS)
        elif self._claims.qsize() > self._capacity // 2:
            self._room.clear()
            await self._room.wait()

    async def _send_all(self) -> None:
        """Send one letter after the other.

        The next is handed over only when the last one's fate is on record: so at most one letter
        per connection is sent twice when this process, or the database, is killed.
        """
        recorded: asyncio.Task[None] | None = None

        async def is_last_recorded() -> None:
            if recorded is not None:
                await recorded

        while (taken := await self._claims.get()) is not None:
            if self._claims.qsize() <= self._capacity // 2:
                self._room.set()
            claim, begin_by = taken
            outcome = await self._send(claim, begin_by, is_last_recorded)
            await is_last_recorded()
            recorded = asyncio.create_task(self._record(claim, outcome))
            if outcome.fate is Fate.UNTRIED:
                continue
            self._note(outcome)
            if outcome.fate is Fate.UNREACHABLE:
                await self._put_back_waiting()
        await is_last_recorded()

    async def _send(
        self, claim: Claim, begin_by: float, is_last_recorded: Callable[[], Awaitable[None]]
    ) -> Outcome:
        async def may_go() -> bool:
            await is_last_recorded()
            return self._now() <= begin_by  # after that it may be somebody else's any moment

        try:
            return await self._channel.send(self._writer.address(claim), may_go)
        except Unmailable:
            return Outcome(Fate.REFUSED, "this is no e-mail address")
        except Exception as error:
            # A defect in a template, say: repaired within two days, the letter still goes out.
            log.exception("letter not sent", letter=str(claim.id), template=claim.template)
            return Outcome(Fate.DELAYED, f"defect: {type(error).__name__}")

    def _note(self, outcome: Outcome) -> None:
        """Remember whether the mail server is there."""
        is_away = outcome.fate is Fate.UNREACHABLE
        if is_away == self._is_away:
            return
        self._is_away = is_away
        self._pause_seconds = FIRST_PAUSE_SECONDS
        if is_away:
            log.warning("mail server away", reply=outcome.reply)
        else:
            log.info("mail server back")
        MAIL_SERVER_REACHED.set(not is_away)

    async def _put_back_waiting(self) -> None:
        """Let other senders have what was taken and not begun."""
        waiting = []
        while not self._claims.empty():
            taken = self._claims.get_nowait()
            if taken is not None:
                waiting.append(taken[0])
        self._room.set()
        await asyncio.gather(*(self._record(claim, Outcome(Fate.UNTRIED, "")) for claim in waiting))

    async def _record(self, claim: Claim, outcome: Outcome) -> None:
        """See to it that an outcome is committed, however long the database is away."""
        first = timedelta(seconds=self._settings.first_retry_seconds)
        settlement = _settle(claim, outcome, first=first)
        while True:
            try:
                await self._outcomes.ask(settlement)
            except Busy:
                if self._stopping.is_set():
                    return  # the end of the lease tells the others that this one is open
                await asyncio.sleep(FIRST_PAUSE_SECONDS)
            except Exception as error:
                log.exception("outcome not recorded", letter=str(claim.id), error=repr(error))
                return
            else:
                LETTERS_TRIED.labels(outcome.fate).inc()
                return

    async def _measure(self, pool: Pool) -> None:
        async with transaction(pool) as tx:
            backlog = await letter_lists.measure_backlog(tx)
        LETTERS_WAITING.set(backlog.letters)
        LETTERS_OLDEST.set(backlog.oldest_seconds)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _settle(
    claim: Claim, outcome: Outcome, *, first: timedelta = timedelta(minutes=1)
) -> Settlement:
    wait = retry_after(claim.attempts + 1, first=first, luck=random.random())  # noqa: S311
    return Settlement(claim.id, claim.claim, claim.round, outcome.fate, outcome.reply, wait)


async def _record(tx: Tx, settled: list[Settlement]) -> Sequence[Refused | None]:
    """Record what became of many letters in one transaction."""
    untried = [each for each in settled if each.fate in NOT_TRIED]
    tried = [each for each in settled if each.fate not in NOT_TRIED]
    if untried:
        await letters.put_back(tx, settled=untried)
    if tried:
        await letters.settle(tx, settled=tried)
    fates = Counter(str(each.fate) for each in settled)
    # One line for all: what became of each letter stands in the register.
    log.info("letters", **fates)
    return [None] * len(settled)


class MailboxChannel:
    """Puts letters into the mailbox of this machine: none leaves it."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._pool: Pool | None = None

    async def send(self, mail: Mail, may_go: MayGo) -> Outcome:
        if not await may_go():
            return Outcome(Fate.UNTRIED, "")
        if self._pool is None:
            self._pool = await create_pool(self._database_url, application="notify mailbox")
        try:
            async with transaction(self._pool) as tx:
                await mailbox.put(tx, mail=mail)
        except Exception as error:
            if not db.is_unavailable(error):
                raise
            return Outcome(Fate.UNREACHABLE, repr(error))
        return Outcome(Fate.SENT, "put into the mailbox of this machine")

    async def close_idle(self) -> None:
        """The pool sees to that."""

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


def _smtp(settings: Settings) -> Channel:
    return SmtpChannel(
        Server.from_url(str(settings.smtp_url), ca_file=settings.smtp_ca_file),
        local_name=settings.sender_address.domain,
        connections=settings.connections,
        timeout_seconds=settings.smtp_timeout_seconds,
    )


CHANNELS: Mapping[str, Callable[[Settings], Channel]] = {
    "smtp": _smtp,
    "mailbox": lambda settings: MailboxChannel(str(settings.database_url)),
}
