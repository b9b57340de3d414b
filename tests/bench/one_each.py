"""The yardstick of databases: pgbench does for each candidate what a claim does, one by one."""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

SECONDS = 6

CLAIM = """\
\\set room random(1, {rooms})
BEGIN;
INSERT INTO registrations (id, account_id, sitting, area, claimed_at, submit_by)
     VALUES (gen_random_uuid(), gen_random_uuid(), 'm1', 'area-' || :room, now(), now());
INSERT INTO outbox (message_id, name, body)
     VALUES (gen_random_uuid(), 'yardstick', repeat('x', 600));
UPDATE places SET taken = taken + 1
 WHERE sitting = 'm1' AND area = 'area-' || :room AND (capacity IS NULL OR taken < capacity);
COMMIT;
"""


def _find() -> str:
    """Debian keeps pgbench beside the server, out of everybody's path."""
    beside = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    found = shutil.which("pgbench") or (str(beside[-1]) if beside else None)
    if found is None:
        raise RuntimeError("pgbench is part of PostgreSQL's packages, and is missing here")
    return found


async def claim(database_url: str, *, rooms: int, clients: int) -> float:
    """Claim places in so many areas from so many clients; return claims a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(CLAIM.format(rooms=rooms))
        script.flush()
        process = await asyncio.create_subprocess_exec(
            _find(),
            *("-n", "-M", "prepared", "-T", str(SECONDS), "-c", str(clients), "-j", "1"),
            *("-f", script.name, database_url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, complaint = await process.communicate()
    found = re.search(r"^tps = ([\d.]+)", told.decode(), re.MULTILINE)
    if process.returncode or found is None:
        raise RuntimeError(complaint.decode())
    return float(found.group(1))
