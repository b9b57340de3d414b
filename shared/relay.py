"""The relay: a loop that carries the outbox to the broker, and comes back by itself."""

import asyncio
import contextlib

import structlog

from shared import db, outbox
from shared.bus import BROKER_ERRORS, Publisher
from shared.metrics import RELAY_CONNECTED, RELAY_FAILURES, RELAYED

log = structlog.get_logger()

# How long an event may lie in the outbox unnoticed. Polling an empty table costs about 0.2 ms, and
# unlike NOTIFY it costs the publishing transactions nothing.
POLL_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0


class Relay:
    """Carries one service's outbox to the broker. Any number of them may run side by side."""

    def __init__(self, *, service: str, database_url: str, amqp_url: str) -> None:
        self._service = service
        self._database_url = database_url
        self._amqp_url = amqp_url
        self._stopping = asyncio.Event()
        self._pause_seconds = POLL_SECONDS

    def stop(self) -> None:
        """Finish the batch under way, send what was published last, then end."""
        self._stopping.set()

    async def run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._relay_until_broken()
            except Exception as error:
                # Whatever it is, the events are safe in the outbox: say so, wait, start afresh.
                expected = isinstance(error, BROKER_ERRORS) or db.is_unavailable(error)
                log.warning(
                    "relay interrupted",
                    service=self._service,
                    error=repr(error),
                    again_in_seconds=self._pause_seconds,
                    exc_info=not expected,
                )
                await self._pause(self._pause_seconds)
                self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    async def _relay_until_broken(self) -> None:
        # The database first: with nothing to send, a missing broker is no news.
        connection = await db.connect(
            self._database_url, application=f"{self._service} relay", for_crowd=True
        )
        try:
            publisher = await Publisher.open(self._amqp_url, service=self._service)
            try:
                RELAY_CONNECTED.labels(self._service).set(1)
                while True:
                    is_last = self._stopping.is_set()
                    round_ = await outbox.relay_batch(connection, publisher.send)
                    RELAYED.labels(self._service).inc(round_.confirmed)
                    RELAY_FAILURES.labels(self._service).inc(round_.failed)
                    if round_.failed:
                        log.error("messages refused", service=self._service, count=round_.failed)
                    self._pause_seconds = POLL_SECONDS
                    if is_last:
                        return
                    if round_.confirmed < outbox.ROWS_PER_RELAY:
                        await self._pause(POLL_SECONDS)
            finally:
                RELAY_CONNECTED.labels(self._service).set(0)
                await publisher.close()
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=5)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
