"""Creates the databases, one for each service."""

import asyncio
from collections.abc import Sequence

import asyncpg

from deploy.one_machine.problems import Problem


def create(url: str, names: Sequence[str]) -> None:
    """Create those that are not there yet."""
    try:
        asyncio.run(_create(url, names))
    except asyncpg.PostgresError as refusal:
        raise Problem(f"The databases could not be created: {refusal}") from refusal


async def _create(url: str, names: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        there = {
            row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")
        }
        for name in names:
            if name not in there:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
