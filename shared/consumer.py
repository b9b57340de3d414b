"""The consumer: messages from a service's queue, handled many at a time, each with effect once."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage

from shared import bus, db, inbox
from shared.db import Pool
from shared.events import Event
from shared.inbox import Handled, Handlers, Received
from shared.metrics import CONSUMED, CONSUMED_EVENTS
from shared.tracing import messages_span

log = structlog.get_logger()

# Messages handled by one transaction when they wait together.
TOGETHER = 100
# Messages held by one consumer: the next batch travels while this one is handled.
PREFETCH = 2 * TOGETHER
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
# Header under which a dead letter carries why it died.
REASON = "x-examhall-reason"


class _Stopping(Exception):
    """The process is ending while a message waits for its database: it goes back to the queue."""


class Consumer:
    """Reads one service's queue. Any number of them may run side by side."""

    def __init__(self, *, service: str, pool: Pool, amqp_url: str, handlers: Handlers) -> None:
        self._service = service
        self._pool = pool
        self._amqp_url = amqp_url
        self._classes: dict[str, type[Event]] = {event.name: event for event in handlers}
        self._handlers = handlers
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Take no more messages, settle those already here, then end."""
        self._stopping.set()

    async def run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                connection = await bus.connect(self._amqp_url, name=f"{self._service} consumer")
                pause = FIRST_PAUSE_SECONDS
                try:
                    await self._consume(await bus.open_channel(connection))
                finally:
                    await bus.close_quietly(connection)
            except _Stopping:
                return
            except Exception as error:
                # Nothing is lost: what was not acknowledged is delivered again.
                log.warning(
                    "consumer interrupted",
                    service=self._service,
                    error=repr(error),
                    again_in_seconds=pause,
                    exc_info=not isinstance(error, bus.BROKER_ERRORS),
                )
                await self._pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _consume(self, channel: AbstractChannel) -> None:
        arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

        def wake(*_: object) -> None:
            arrived.put_nowait(None)

        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await bus.declare_topology(
            channel, service=self._service, names=list(self._classes)
        )
        dead = await channel.get_exchange(bus.DEAD, ensure=False)
        channel.close_callbacks.add(wake)
        # A deleted queue ends the consumer but not the channel.
        (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(wake)
        stopper = asyncio.create_task(self._stopping.wait())
        stopper.add_done_callback(wake)
        tag = await queue.consume(arrived.put)
        log.info("consuming", service=self._service, events=sorted(self._classes))
        try:
            while not self._stopping.is_set():
                if not await self._settle_waiting(arrived, dead):
                    break
            await queue.cancel(tag)
            while not arrived.empty():
                await self._settle_waiting(arrived, dead)
        finally:
            stopper.cancel()

    async def _settle_waiting(
        self,
        arrived: "asyncio.Queue[AbstractIncomingMessage | None]",
        dead: AbstractExchange,
    ) -> bool:
        """Settle everything that has arrived; return False when woken for another reason."""
        waiting = [await arrived.get()]
        while not arrived.empty() and len(waiting) < TOGETHER:
            waiting.append(arrived.get_nowait())
        messages = [message for message in waiting if message is not None]
        by_name: defaultdict[str, list[AbstractIncomingMessage]] = defaultdict(list)
        for message in messages:
            by_name[message.type or ""].append(message)
        for name, same in by_name.items():
            await self._settle(name, same, dead)
        if messages:
            # Everything up to here is settled, one way or the other: one acknowledgement for all.
            await messages[-1].ack(multiple=True)
        return len(messages) == len(waiting)

    async def _settle(
        self, name: str, messages: Sequence[AbstractIncomingMessage], dead: AbstractExchange
    ) -> None:
        """Handle messages of one kind together; if that fails, one by one, and bury what fails."""
        started = time.perf_counter()
        try:
            handled = await self._handle(name, messages)
        except _Stopping:
            raise
        except Exception as error:
            if len(messages) > 1:
                for message in messages:
                    await self._settle(name, [message], dead)
                return
            await self._bury(messages[0], repr(error), dead)
            self._record(name, messages, started=started, error=error)
            return
        CONSUMED_EVENTS.labels(self._service, name).inc(handled.events)
        self._record(name, messages, started=started, new=handled.new)

    async def _handle(self, name: str, messages: Sequence[AbstractIncomingMessage]) -> Handled:
        """Handle messages; while the database is away, wait rather than blame the message."""
        if name not in self._classes:
            raise LookupError(f"{self._service} has no handler for {name!r}")
        event_class = self._classes[name]
        received = [Received(UUID(message.message_id), message.body) for message in messages]
        pause = FIRST_PAUSE_SECONDS
        traces = [str(message.headers.get("traceparent", "")) or None for message in messages]
        with messages_span(f"handle {name}", traces):
            while True:
                try:
                    return await inbox.handle(
                        self._pool, event_class, self._handlers[event_class], received
                    )
                except Exception as error:
                    if not db.is_unavailable(error):
                        raise
                    log.warning(
                        "database unavailable, messages wait",
                        service=self._service,
                        name=name,
                        error=repr(error),
                        again_in_seconds=pause,
                    )
                    await self._pause(pause)
                    if self._stopping.is_set():
                        raise _Stopping from error
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _bury(
        self, message: AbstractIncomingMessage, reason: str, dead: AbstractExchange
    ) -> None:
        """Move a message that this code cannot handle to the dead letters, with the reason.

        The code would not handle it better a second time; after a repair it is replayed.
        """
        async with asyncio.timeout(bus.CONFIRM_SECONDS):
            await dead.publish(
                aio_pika.Message(
                    message.body,
                    content_type=message.content_type,
                    message_id=message.message_id,
                    type=message.type,
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    headers={**message.headers, REASON: reason[:1000]},
                ),
                routing_key=self._service,
                mandatory=True,
            )

    def _record(
        self,
        name: str,
        messages: Sequence[AbstractIncomingMessage],
        *,
        started: float,
        new: Collection[UUID] = (),
        error: Exception | None = None,
    ) -> None:
        """Write the canonical line of each message."""
        seconds = round(time.perf_counter() - started, 4)
        write = log.error if error else log.info
        for message in messages:
            if error:
                outcome = "dead"
            else:
                outcome = "handled" if UUID(message.message_id) in new else "repeated"
            CONSUMED.labels(self._service, name, outcome).inc()
            write(
                "message",
                service=self._service,
                name=name,
                message_id=message.message_id,
                outcome=outcome,
                together=len(messages),
                seconds=seconds,
                redelivered=message.redelivered,
                exc_info=error,
            )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
