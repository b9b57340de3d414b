"""`audit verify`: proves every service's log, also against what the other services saw of it."""

import argparse
import asyncio
import sys
from collections import defaultdict

from deploy.all_in_one import ENTRIES
from shared import audit, db
from shared.audit import Head
from shared.settings import load


async def verify() -> int:
    """Print a verdict per service; return 1 when any chain is broken."""
    connections = {
        entry.name: await db.connect(str(load(entry.settings).database_url), application="audit")
        for entry in ENTRIES
    }
    seen: defaultdict[str, list[Head]] = defaultdict(list)
    for witness, connection in connections.items():
        for service, head in (await audit.list_witnessed(connection)).items():
            if service != witness:  # its own word about itself proves nothing
                seen[service].append(head)
    broken = False
    for service, connection in connections.items():
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            verdict = await audit.verify(connection, witnessed=seen[service])
        broken |= verdict.first_break is not None
        state = f"BROKEN: {verdict.first_break}" if verdict.first_break else "whole"
        witnessed = max((head.position for head in seen[service]), default=0)
        print(f"{service:<11} {verdict.links:>8} links, {witnessed:>8} witnessed   {state}")
        await connection.close()
    return int(broken)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./examhall audit", description=__doc__)
    parser.add_argument("verb", choices=["verify"])
    parser.parse_args()
    sys.exit(asyncio.run(verify()))
