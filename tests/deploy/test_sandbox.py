"""The sandbox says what it is, and ends when told to."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestClient, TestServer

from deploy.one_machine import ports
from deploy.sandbox.app import create_app
from tests.sandbox import open_sandbox

ROOT = Path(__file__).parents[2]


async def test_its_page_says_in_both_languages_that_no_money_is_taken() -> None:
    async with TestClient(TestServer(create_app())) as client:
        answer = await client.get("/")
        page = await answer.text()
    assert answer.status == 200
    assert "不會收取任何款項" in page
    assert "no money is taken" in page
    assert "no payment provider" in page
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_its_page_names_whom_it_plays() -> None:
    async with open_sandbox() as sandbox:
        page = await (await sandbox.session.get(sandbox.url)).text()
    for words in ("綠界科技", "ECPay", "LINE Pay", "/counter/", "/control/"):
        assert words in page


async def test_it_ends_in_good_order() -> None:
    port = ports.any_free()
    environment = {**os.environ, "SANDBOX_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.sandbox"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession() as client, asyncio.timeout(20):
            while True:
                try:
                    async with client.get(f"http://127.0.0.1:{port}/healthz") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 15)
    assert code == 0
