"""Letters from the register to a mail server; the yardstick is a bare aiosmtplib loop.

The loop has as many connections as a worker has by default. It sends one message object again and
again, as aiosmtplib's documents show it, and then bytes encoded once beforehand: there, nothing at
all is left but the protocol. Our letters are each another person's, with another link.
"""

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from aiosmtplib import SMTP

from deploy.one_machine import ports
from services.notify import app, letters, sender
from services.notify.channels import Mail
from services.notify.letters import Owed
from services.notify.sender import Sender
from services.notify.settings import Settings
from shared import db, migrate
from shared.db import Pool, transaction
from shared.metrics import LETTERS_TRIED
from tests import smtp_sink
from tests.bench import ground
from tests.bench.report import Figure, Ratio, Report
from tests.eventually import eventually
from tests.servers import Servers

ROUNDS = 5
LETTERS = 4_000
AT_ONCE = 100


async def run(servers: Servers) -> Report:
    bare, ready_made, ours, unique = [], [], [], []
    async with _house(servers) as (pool, settings, journal):
        mail = await write_one(pool, settings)
        port = int(str(settings.smtp_url).rpartition(":")[2].rstrip("/"))
        loops = settings.connections
        for _ in range(ROUNDS):
            bare.append(await send_bare(mail, port, loops, ready_made=False))
            ready_made.append(await send_bare(mail, port, loops, ready_made=True))
            before = set(journal.read_text().split())
            ours.append(await _send_ours(pool, settings))
            unique.append(len(set(journal.read_text().split()) - before))
    assert min(unique) == LETTERS, unique
    return Report(
        "letters",
        f"letters handed to a mail server over {loops} connections, one process",
        [
            Figure("size of a letter on the wire", len(mail.content), "bytes"),
            Figure("bare aiosmtplib, send_message(the letter)", median(bare), "letters/s"),
            Figure("bare aiosmtplib, sendmail(its bytes)", median(ready_made), "letters/s"),
            Figure("from the register, written and recorded", median(ours), "letters/s"),
            Figure("unique letters at the mail server, each round", min(unique), "letters"),
        ],
        [
            Ratio("letters to bare", _ratio(ours, bare), at_least=0.5),
            Ratio("letters to bare with ready made bytes", _ratio(ours, ready_made), 0.5),
        ],
    )


def _ratio(ours: list[float], bare: list[float]) -> float:
    """Compare within each round: what else the machine does changes from one to the next."""
    return median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))


@asynccontextmanager
async def _house(servers: Servers) -> AsyncIterator[tuple[Pool, Settings, Path]]:
    name = f"bench_{uuid4().hex[:8]}"
    url = urlsplit(servers.postgres_url)._replace(path=f"/{name}").geturl()
    admin = await asyncpg.connect(servers.postgres_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        await migrate.migrate(url, app.HERE / "migrations")
        pool = await db.create_pool(url, application="bench")
        with tempfile.TemporaryDirectory(prefix="examhall-bench-") as folder:
            port, journal = ports.any_free(), Path(folder) / "journal"
            settings = Settings.model_validate(
                {
                    "database_url": url,
                    "EXAMHALL_AMQP_URL": servers.amqp_url,
                    "EXAMHALL_PUBLIC_URL": "https://exam.example/",
                    "sender": "應試堂 <letters@exam.example>",
                    "smtp_url": f"smtp+plain://127.0.0.1:{port}",
                }
            )
            async with smtp_sink.started(port, journal, "--quick"):
                yield pool, settings, journal
        await pool.close()
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


def _owed(number: int) -> Owed:
    """A letter like no other: its reader, its link and its last second are its own."""
    expires_at = datetime.now(UTC) + timedelta(days=1)
    link = f"https://exam.example/identity/letters/{secrets.token_urlsafe(32)}"
    return Owed(
        cause=uuid4().hex,
        template="address_confirmation",
        recipient=f"candidate{number}@exam.example",
        person=f"王大同{number}",
        language="zh-Hant-TW",
        context={"link": link, "expires_at": expires_at},
        useless_after=expires_at,
    )


async def _owe(pool: Pool, count: int) -> None:
    async with transaction(pool) as tx:
        for start in range(0, count, AT_ONCE):
            batch = [_owed(number) for number in range(start, min(count, start + AT_ONCE))]
            await letters.queue(tx, owed=batch)
    await pool.execute("VACUUM ANALYZE letters, letter_attempts")


async def write_one(pool: Pool, settings: Settings) -> Mail:
    await _owe(pool, 1)
    async with transaction(pool) as tx:
        [claim] = await letters.claim(tx, limit=1, lease=timedelta(hours=1))
    await pool.execute("TRUNCATE letters, letter_attempts")
    return app.create_writer(settings).address(claim)


async def send_bare(mail: Mail, port: int, loops: int, *, ready_made: bool) -> float:
    """Send the same letter as often, over as many connections; return letters a second."""
    message = BytesParser(policy=policy.SMTP).parsebytes(mail.content)

    async def send(turns: Iterator[int]) -> None:
        async with SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            for _ in turns:
                if ready_made:
                    await smtp.sendmail(mail.sender, [mail.recipient], mail.content)
                else:
                    await smtp.send_message(message)

    turns = iter(range(LETTERS))
    started = time.perf_counter()
    await asyncio.gather(*(send(turns) for _ in range(loops)))
    return LETTERS / (time.perf_counter() - started)


async def _send_ours(pool: Pool, settings: Settings) -> float:
    """Let the register be emptied; return letters a second, each recorded as sent."""
    await _owe(pool, LETTERS)
    made = Sender(settings, app.create_writer(settings), sender.CHANNELS["smtp"](settings))

    tried = LETTERS_TRIED.labels("sent")
    before = tried._value.get()
    started = time.perf_counter()
    running = asyncio.create_task(made.run())

    async def all_sent() -> bool:
        return bool(tried._value.get() - before == LETTERS)

    await eventually(all_sent, seconds=ground.LONGEST_SECONDS)
    seconds = time.perf_counter() - started
    made.stop()
    await running
    assert await pool.fetchval("SELECT count(*) FROM letters WHERE state = 'sent'") == LETTERS
    await pool.execute("TRUNCATE letters, letter_attempts")
    return LETTERS / seconds
