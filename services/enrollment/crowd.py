"""The crowd: wishes for a place arrive one by one and are settled together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias
from uuid import UUID

from aiohttp import web

from services.enrollment.registrations import claims, openings
from services.enrollment.registrations.claims import Claim, Claimed
from services.enrollment.registrations.openings import Openings
from shared.arrival import DatabaseClock
from shared.db import Tx
from shared.errors import Refused
from shared.group_commit import Settle
from shared.ids import new_id
from shared.lanes import Lanes


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants a place."""

    account_id: UUID
    sitting: str
    area: str
    started: float  # when the request arrived, on this process's stop-watch


Crowd: TypeAlias = Lanes[Wish, Claimed]

CROWD = web.AppKey("crowd", Crowd)
CLOCK = DatabaseClock()


async def look(tx: Tx, wishes: list[Wish]) -> Settle[Wish, Claimed]:
    """Read what decides about the sittings that are wished for; return what claims by that."""
    asked = time.perf_counter()
    opened = await openings.load(tx, sittings={wish.sitting for wish in wishes})
    CLOCK.hear(opened.now, asked=asked, heard=time.perf_counter())
    return partial(_claim, opened)


async def settle(tx: Tx, wishes: list[Wish]) -> Sequence[Claimed | Refused]:
    """Do both, in a transaction that has more to do."""
    claim = await look(tx, wishes)
    return await claim(tx, wishes)


async def _claim(opened: Openings, tx: Tx, wishes: list[Wish]) -> Sequence[Claimed | Refused]:
    """Claim for all who wait, each as of the moment when they arrived."""
    arrivals = [CLOCK.at(wish.started) for wish in wishes]
    return await claims.claim(
        tx,
        openings=opened,
        claims=[
            Claim(new_id(arrived_at), wish.account_id, wish.sitting, wish.area, arrived_at)
            for wish, arrived_at in zip(wishes, arrivals, strict=True)
        ],
    )
