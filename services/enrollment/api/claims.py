"""For programs: taking a place, by the same crowd's rules as on the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from aiohttp import web

from services.enrollment import crowd, idempotency
from services.enrollment.api import calls, shapes
from services.enrollment.api.calls import CALLER, LATER
from services.enrollment.crowd import Wish
from services.enrollment.idempotency import Answer, Before, Keyed, KeyReused
from services.enrollment.registrations.claims import (
    AlreadyThere,
    Claimed,
    NoSuchPlace,
    NotYetOpen,
    OtherSittingHeld,
    SittingFull,
    WindowClosed,
)
from services.enrollment.registrations.openings import Barred
from shared import api
from shared.api import Operation
from shared.db import Tx
from shared.errors import Busy, Refused, WrongFields
from shared.group_commit import GroupCommit
from shared.observe import ARRIVED_AT, STARTED
from shared.problems import show_refusal


@dataclass(frozen=True, slots=True, eq=False)
class KeyedWish:
    """Somebody's program wants a place, and may ask again."""

    wish: Wish
    call: Keyed
    request: web.Request

    @property
    def key(self) -> tuple[UUID, str]:
        return self.call.token_id, self.call.key


KeyedCrowd: TypeAlias = GroupCommit[KeyedWish, Answer]

KEYED_CROWD = web.AppKey("keyed_crowd", KeyedCrowd)


async def settle(tx: Tx, wishes: list[KeyedWish]) -> Sequence[Answer | Refused]:
    """Claim for all who wait and are new; repeat to the others what was answered before."""
    first = {wish.key: wish for wish in reversed(wishes)}
    before = await idempotency.begin(
        tx,
        calls=[wish.call for wish in first.values()],
        now=max(wish.request[ARRIVED_AT] for wish in wishes),
    )
    known: dict[tuple[UUID, str], Before | Refused] = dict(zip(first, before, strict=True))
    new = [wish for wish in wishes if first[wish.key] is wish and known[wish.key] is None]
    known |= await _settle_new(tx, new)
    return [
        # Of two at once with one key and different wishes the first counts.
        KeyReused()
        if wish.call.request != first[wish.key].call.request
        else known[wish.key] or Busy()
        for wish in wishes
    ]


async def _settle_new(
    tx: Tx, wishes: Sequence[KeyedWish]
) -> dict[tuple[UUID, str], Answer | Refused]:
    if not wishes:
        return {}
    settled = await crowd.settle(tx, [wish.wish for wish in wishes])
    answers = {
        wish.key: _write(wish, outcome) for wish, outcome in zip(wishes, settled, strict=True)
    }
    kept = [(one.call, answer) for one in wishes if isinstance(answer := answers[one.key], Answer)]
    await idempotency.keep(tx, answers=kept)
    later = [one.call for one in wishes if isinstance(answers[one.key], Refused)]
    await idempotency.drop(tx, calls=later)
    return answers


def _write(wish: KeyedWish, outcome: Claimed | Refused) -> Answer | Refused:
    """Write what is answered; what is to come again later is only told."""
    if isinstance(outcome, Claimed):
        return calls.take_down(api.answer(shapes.HeldPlace.of(outcome)))
    if outcome.status in LATER:
        return outcome
    return calls.take_down(show_refusal(wish.request, outcome))


async def take_place(request: web.Request) -> web.Response:
    """Take a place in a sitting, in an area. It starts the clock: see `submit_by`.

    Whoever has the place already is told so again. To move to another area, give the place up
    first.
    """
    call, wanted = await calls.read_keyed(request), await api.read(request, shapes.Wish)
    wish = Wish(request[CALLER].account_id, wanted.sitting, wanted.area, started=request[STARTED])
    answer = await request.app[KEYED_CROWD].ask(KeyedWish(wish, call, request))
    return calls.repeat(answer)


OPERATIONS: api.Operations = {
    take_place: Operation(
        request=shapes.Wish,
        response=shapes.HeldPlace,
        headers=(calls.KEY,),
        refusals=(
            *calls.WRITES,
            WrongFields,
            AlreadyThere,
            Barred,
            NoSuchPlace,
            NotYetOpen,
            OtherSittingHeld,
            SittingFull,
            WindowClosed,
        ),
    ),
}

ROUTES = [
    web.post("/registrations", take_place),
]
