"""The crowd: wishes for a place arrive one by one and are settled together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from aiohttp import web

from services.enrollment.registrations import claims, openings
from services.enrollment.registrations.claims import Claim, Claimed
from shared.arrival import DatabaseClock
from shared.db import Tx
from shared.errors import Refused
from shared.group_commit import GroupCommit
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants a place."""

    account_id: UUID
    sitting: str
    area: str
    started: float  # when the request arrived, on this process's stop-watch


Crowd: TypeAlias = GroupCommit[Wish, Claimed]

CROWD = web.AppKey("crowd", Crowd)
CLOCK = DatabaseClock()


async def settle(tx: Tx, wishes: list[Wish]) -> Sequence[Claimed | Refused]:
    """Claim for all who wait, each as of the moment when they arrived."""
    asked = time.perf_counter()
    opened = await openings.load(tx, sittings={wish.sitting for wish in wishes})
    CLOCK.hear(opened.now, asked=asked, heard=time.perf_counter())
    arrivals = [CLOCK.at(wish.started) for wish in wishes]
    return await claims.claim(
        tx,
        openings=opened,
        claims=[
            Claim(new_id(arrived_at), wish.account_id, wish.sitting, wish.area, arrived_at)
            for wish, arrived_at in zip(wishes, arrivals, strict=True)
        ],
    )
