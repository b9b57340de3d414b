"""The sandbox's file: what was answered is on disk, whoever kills the sandbox and whenever."""

import asyncio
import os
import sqlite3
import sys
import threading
from asyncio.subprocess import Process
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection

import aiohttp
import pytest

from deploy.one_machine import ports
from deploy.sandbox import money
from deploy.sandbox.money import Payment
from deploy.sandbox.store import Store
from tests.deploy.shop import Shop, open_shop
from tests.sandbox import Sandbox, open_sandbox

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:1"
PAID_BEFORE = 20
FULL = 2
PAYMENT = Payment("ecpay", "CVS", "EH1", "26050109300012345678")


def capture(db: Connection) -> None:
    money.capture(db, PAYMENT, amount_twd=250, now=0)


def capture_and_fail(db: Connection) -> None:
    capture(db)
    raise LookupError("after the money was written")


async def test_what_fails_is_undone_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "file")
    work = [capture, capture_and_fail, capture] * 50
    outcomes = await asyncio.gather(*map(store.run, work), return_exceptions=True)
    assert [type(one) for one in outcomes] == [type(None), LookupError, type(None)] * 50
    assert (await store.run(money.totals))["captured_twd"] == 250 * 100
    store.close()


async def test_what_waits_when_it_is_closed_is_still_done(tmp_path: Path) -> None:
    store = Store(tmp_path / "file")
    waiting = [asyncio.ensure_future(store.run(capture)) for _ in range(300)]
    await asyncio.sleep(0)
    await asyncio.to_thread(store.close)
    await asyncio.gather(*waiting)
    with sqlite3.connect(tmp_path / "file") as db:
        assert db.execute("SELECT count(*) FROM money").fetchone() == (300,)
    db.close()


async def test_nobody_rewrites_money(tmp_path: Path) -> None:
    store = Store(tmp_path / "file")
    await store.run(capture)
    with pytest.raises(sqlite3.IntegrityError, match="written once"):
        await store.run(lambda db: db.execute("UPDATE money SET amount_twd = 1"))
    with pytest.raises(sqlite3.IntegrityError, match="written once"):
        await store.run(lambda db: db.execute("DELETE FROM money"))
    store.close()


async def test_what_could_not_be_written_is_not_confirmed(tmp_path: Path) -> None:
    store = Store(tmp_path / "file")
    await store.run(lambda db: db.execute("PRAGMA busy_timeout = 0"))
    other = sqlite3.connect(tmp_path / "file", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*map(store.run, [capture] * 3), return_exceptions=True)
    assert [type(one) for one in outcomes] == [sqlite3.OperationalError] * 3
    other.execute("ROLLBACK")
    other.close()
    await store.run(capture)
    assert (await store.run(money.totals))["payments"] == 1
    store.close()


def break_the_commit(db: Connection) -> None:
    """Write what is found to be wrong only when everything else has been done."""
    db.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    db.execute("CREATE TABLE children (id REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
    db.execute("INSERT INTO children VALUES (1)")


async def test_what_cannot_be_committed_is_confirmed_to_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path / "file")
    store._db.execute("PRAGMA foreign_keys = ON")  # not possible inside a transaction
    started, gate = threading.Event(), threading.Event()

    def keep_busy(_: Connection) -> None:
        started.set()
        gate.wait()

    # The first keeps the thread busy until the others wait together.
    busy = asyncio.ensure_future(store.run(keep_busy))
    await asyncio.to_thread(started.wait)
    work = [asyncio.ensure_future(store.run(one)) for one in (capture, break_the_commit, capture)]
    await asyncio.sleep(0)
    gate.set()
    await busy
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    assert [type(one) for one in outcomes] == [sqlite3.IntegrityError] * 3
    assert (await store.run(money.totals))["payments"] == 0
    await store.run(capture)
    assert (await store.run(money.totals))["payments"] == 1
    store.close()


async def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "file")
    assert await store.run(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == FULL
    assert await store.run(lambda db: db.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    store.close()


def test_a_file_that_cannot_be_opened_is_known_at_once(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        Store(tmp_path / "nowhere" / "file")


async def test_orders_faults_and_the_clock_are_remembered(tmp_path: Path) -> None:
    async with open_shop(folder=tmp_path) as shop:
        number, code = await shop.order("CVS")
        await shop.sandbox.misbehave("silent")
        await shop.sandbox.set_ahead(timedelta(minutes=10))
    async with open_sandbox(folder=tmp_path) as again:
        assert await again.now() > datetime.now(UTC) + timedelta(minutes=9)
        assert len(await again.faults()) == 1
        assert (await again.pay(code))["number"] == number


async def test_killed_at_any_moment_it_has_lost_nothing_it_told_about(tmp_path: Path) -> None:
    """Three lives; in each it is killed while payments are under way."""
    told: set[str] = set()
    for _ in range(3):
        port = ports.any_free()
        url = f"http://127.0.0.1:{port}"
        settings = {"PORT": str(port), "URL": url, "FOLDER": str(tmp_path)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.sandbox"),
            cwd=ROOT,
            env={**os.environ, **{f"SANDBOX_{name}": value for name, value in settings.items()}},
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession() as session:
                await until_alive(session, url)
                shop = Shop(Sandbox(url, session), NOWHERE)
                told |= await pay_until_killed(shop, process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    async with open_sandbox(folder=tmp_path) as after:
        kept = [one["number"] for one in (await after.captured())["movements"]]
    assert told <= set(kept)
    assert len(kept) == len(set(kept)), "nothing was taken twice"
    assert len(told) >= 3 * PAID_BEFORE


async def pay_until_killed(shop: Shop, process: Process) -> set[str]:
    """Pay forty orders side by side; kill when half are paid; return those that were answered."""
    told: set[str] = set()
    numbers = [(await shop.order("Credit"))[0] for _ in range(2 * PAID_BEFORE)]

    async def pay(number: str) -> None:
        await shop.sandbox.pay(number)
        told.add(number)
        if len(told) == PAID_BEFORE:
            process.kill()

    await asyncio.gather(*map(pay, numbers), return_exceptions=True)
    return told


async def until_alive(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                async with session.get(f"{url}/healthz"):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.02)
