"""A service's web role as a process of its own, as it runs in production."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientConnectionError, ClientSession

from deploy.one_machine.ports import any_free
from tests.bench.ground import ROOT

START_SECONDS = 30


@dataclass(frozen=True)
class WebProcess:
    """Where it answers, and its pid."""

    url: str
    pid: int

    @staticmethod
    @asynccontextmanager
    async def start(
        service: str, environment: Mapping[str, str], amqp_url: str
    ) -> "AsyncIterator[WebProcess]":
        port = any_free()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", f"services.{service}.app", "web"),
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "EXAMHALL_AMQP_URL": amqp_url,
                "EXAMHALL_PUBLIC_URL": f"http://127.0.0.1:{port}",
                "EXAMHALL_PORT": str(port),
                "EXAMHALL_LOG_FORMAT": "json",
                **environment,
            },
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with _answering(process, port) as url:
            yield WebProcess(url, process.pid)


@asynccontextmanager
async def run_module(module: str) -> AsyncIterator[str]:
    """Run a server that takes its port as its only argument; yield its address."""
    port = any_free()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(port), cwd=ROOT
    )
    async with _answering(process, port) as url:
        yield url


@asynccontextmanager
async def _answering(process: asyncio.subprocess.Process, port: int) -> AsyncIterator[str]:
    """Wait until it answers, and end it afterwards."""
    url = f"http://127.0.0.1:{port}"
    try:
        await _until_ready(process, url)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with asyncio.timeout(START_SECONDS), ClientSession() as session:
        while process.returncode is None:
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except ClientConnectionError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError(f"the process of {url} ended with {process.returncode} before it answered")
