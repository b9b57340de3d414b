"""One trace from the request to the handler in another service, exported when configured."""

import asyncio
import gzip
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from deploy.one_machine.ports import any_free
from services.notify.settings import Settings
from shared import audit, bus, guards, outbox
from shared.consumer import Consumer
from shared.db import POOL, Pool, Tx, transaction
from shared.events.audit import LogSealed
from shared.relay import Relay
from shared.web import Audience, Service, build
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[2]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


async def announce(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        await outbox.publish(tx, [LogSealed(service="x", position=1, digest="00" * 32)])
    return web.Response()


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
            "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
            "channel": "mailbox",
        }
    )
    routes = [web.post("/announcements", announce)]
    service = Service(
        "notify",
        settings,
        folder=ROOT / "services" / "notify",
        audiences=[Audience("/notify/api/", routes, guards.MACHINES)],
    )
    async with TestClient(TestServer(build([service]))) as client:
        yield client


async def test_a_handler_continues_the_trace_of_the_request(
    spans: InMemorySpanExporter,
    client: TestClient[web.Request, web.Application],
    pool: Pool,
    database_url: str,
    amqp_url: str,
    service_name: str,
) -> None:
    handled = asyncio.Event()

    async def on_log_sealed(tx: Tx, events: list[LogSealed]) -> None:
        await audit.witness(tx, events)
        handled.set()

    consumer = Consumer(
        service=service_name,
        pool=pool,
        amqp_url=amqp_url,
        handlers={LogSealed: on_log_sealed},
    )
    relay = Relay(service=service_name, database_url=database_url, amqp_url=amqp_url)
    connection = await bus.connect(amqp_url, name="test")
    async with connection:
        channel = await bus.open_channel(connection)
        await bus.declare_topology(channel, service=service_name, names=[LogSealed.name])
    consuming = asyncio.create_task(consumer.run())
    await client.post("/notify/api/announcements", headers=PARENT)
    relaying = asyncio.create_task(relay.run())
    async with asyncio.timeout(30):
        await handled.wait()
        relay.stop()
        consumer.stop()
        await asyncio.gather(consuming, relaying)

    [request] = [s for s in spans.get_finished_spans() if s.name.startswith("POST ")]
    [message] = [s for s in spans.get_finished_spans() if s.name.startswith("handle ")]
    assert request.context is not None
    assert message.context is not None
    assert request.parent is not None
    assert message.parent is not None
    assert f"{request.context.trace_id:032x}" == f"{message.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert message.parent.span_id == request.context.span_id
    assert request.name == "POST /notify/api/announcements"
    assert message.name == "handle audit.log_sealed.v1"


async def test_spans_are_exported_when_an_endpoint_is_configured(
    make_database: MakeDatabase, amqp_url: str
) -> None:
    exported: list[bytes] = []

    async def collect(request: web.Request) -> web.Response:
        body = await request.read()
        exported.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.Response()

    sink = web.Application()
    sink.router.add_post("/v1/traces", collect)
    async with TestServer(sink) as server, ClientSession() as session:
        port = any_free()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "services.notify.app", "web"),
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "NOTIFY_CHANNEL": "mailbox",
                "NOTIFY_DATABASE_URL": await make_database("notify"),
                "EXAMHALL_AMQP_URL": amqp_url,
                "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
                "EXAMHALL_PORT": str(port),
                "EXAMHALL_OTLP_ENDPOINT": str(server.make_url("/")),
            },
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(30):
            while True:
                try:
                    await session.get(f"http://127.0.0.1:{port}/notify/", headers=PARENT)
                    break
                except ClientConnectionError:
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    assert bytes.fromhex(TRACE) in b"".join(exported)
