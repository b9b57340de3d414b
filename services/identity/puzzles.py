"""Puzzles: work a browser does before a sign-up that looks like a machine's.

Nobody else is asked, nothing is tracked. A browser that runs scripts solves the puzzle by itself;
one that does not waits a minute instead. Sole writer of the `solved_puzzles` table.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from altcha.v1 import ChallengeOptions, Payload, create_challenge, verify_solution
from cryptography.exceptions import InvalidTag
from pydantic import BaseModel, Field

from shared.db import Tx, affected
from shared.vault import Vault

# About a second of a phone; a machine pays it for every account.
HARDEST_NUMBER = 50_000
LASTS = timedelta(minutes=20)
# The way for browsers without script: as dear in time as the puzzle is in work.
WAIT = timedelta(minutes=1)
PURPOSE = "sign-up puzzle"


@dataclass(frozen=True, slots=True)
class Puzzle:
    """What a form carries: a challenge for scripts, a ticket for those who wait."""

    challenge: str  # JSON, as the script wants it
    ticket: str


def make(vault: Vault, *, now: datetime) -> Puzzle:
    challenge = create_challenge(
        ChallengeOptions(
            algorithm="SHA-256",
            max_number=HARDEST_NUMBER,
            hmac_key=_key(vault),
            expires=now + LASTS,
        )
    )
    ticket = vault.encrypt(now.isoformat().encode(), purpose=PURPOSE)
    return Puzzle(json.dumps(vars(challenge)), base64.urlsafe_b64encode(ticket).decode())


async def accept(tx: Tx, vault: Vault, *, solution: str, ticket: str, now: datetime) -> bool:
    """Take a solution, or a ticket that was waited for; each opens the door once."""
    key = _find_solved(vault, solution) or _find_waited_for(vault, ticket, now=now)
    if key is None:
        return False
    spent = await tx.fetchval(
        """
        INSERT INTO solved_puzzles (digest, expires_at) VALUES ($1, $2)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        hashlib.sha256(key).digest(),
        now + LASTS,
    )
    return bool(spent)


class Solution(BaseModel):
    """What the script sends. Only what has this shape is held against the challenge."""

    algorithm: Literal["SHA-256"]
    challenge: str
    number: Annotated[int, Field(ge=0, le=HARDEST_NUMBER)]
    salt: str
    signature: str


def _find_solved(vault: Vault, solution: str) -> bytes | None:
    """Return the challenge that was solved: the same one, however its solution is written."""
    try:
        read = Solution.model_validate_json(base64.b64decode(solution))
    except ValueError:
        return None
    payload = Payload(**read.model_dump())
    is_right, _ = verify_solution(payload, _key(vault), check_expires=True)
    return read.challenge.encode() if is_right else None


def _find_waited_for(vault: Vault, ticket: str, *, now: datetime) -> bytes | None:
    try:
        sealed = base64.urlsafe_b64decode(ticket)
        issued_at = datetime.fromisoformat(vault.decrypt(sealed, purpose=PURPOSE).decode())
    except (ValueError, KeyError, InvalidTag):
        return None
    return sealed if WAIT <= now - issued_at < LASTS else None


def _key(vault: Vault) -> str:
    return vault.blind_index(b"altcha", purpose=PURPOSE).hex()


async def forget_old(tx: Tx, *, now: datetime) -> int:
    forgotten: str = await tx.execute("DELETE FROM solved_puzzles WHERE expires_at < $1", now)
    return affected(forgotten)
