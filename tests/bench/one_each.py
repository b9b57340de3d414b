"""The yardstick of databases: pgbench does for each candidate what we do for many, one by one."""

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


SETTLE = """\
\\set n random(1, {orders})
BEGIN;
INSERT INTO notices (provider, reading, trade_number, provider_number, fields, received_at)
     VALUES ('ecpay', 'paid', 'PG' || :n, :n::text, '{fields}', now());
SELECT attempts.id AS attempt, orders.id AS owed
  FROM attempts JOIN orders ON orders.id = order_id
 WHERE trade_number = 'PG' || :n FOR NO KEY UPDATE OF orders \\gset
INSERT INTO captures (id, provider, trade_number, provider_number, method, attempt_id, order_id,
                      kind, amount_twd, paid_at, settled_at)
     VALUES (gen_random_uuid(), 'ecpay', 'PG' || :n, :n::text, 'card', :attempt, :owed, 'order',
             250, now(), now())
ON CONFLICT DO NOTHING;
UPDATE orders SET state = 'paid', paid_at = now(), paid_method = 'card'
 WHERE id = :owed AND state = 'open';
UPDATE attempts SET state = 'paid', provider_number = :n::text, closed_at = now()
 WHERE id = :attempt;
INSERT INTO ledger_entries (kind, debit, credit, amount_twd, order_id)
     VALUES ('order_paid', 'ecpay', 'receivable', 250, :owed);
INSERT INTO outbox (message_id, name, body)
     VALUES (gen_random_uuid(), 'yardstick', repeat('x', 600));
COMMIT;
"""


async def claim(database_url: str, *, rooms: int, clients: int) -> float:
    """Claim places in so many areas from so many clients; return claims a second."""
    return await _run(database_url, CLAIM.format(rooms=rooms), clients)


async def settle(database_url: str, *, orders: int, fields: str, clients: int) -> float:
    """Settle notices about so many orders from so many clients; return notices a second."""
    return await _run(database_url, SETTLE.format(orders=orders, fields=fields), clients)


async def _run(database_url: str, text: str, clients: int) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(text)
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
