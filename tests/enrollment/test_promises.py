"""No sequence of actions, clocks and news breaks a promise: a machine tries, with a model."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.enrollment.registrations import deciding, drafts, paying
from services.enrollment.registrations.claims import Claimed
from services.enrollment.registrations.drafts import Sent
from shared import db
from shared.db import Pool, transaction
from shared.errors import Refused
from shared.events.enrollment import ReturnedDocument
from tests.conftest import MakeDatabase
from tests.enrollment import world
from tests.enrollment.world import NOW, VAULT, wish

CAPACITY = 2
WINDOW = timedelta(days=10)
ENDED = {"lapsed", "void", "withdrawn"}
BIRTH_DATES = {"adult": date(1990, 5, 17), "child": date(2010, 5, 17)}
people = st.integers(0, 3)
days = st.integers(0, 8)


class Promises(RuleBasedStateMachine):
    """A model of one sitting with two places and four accounts that two persons stand behind."""

    pool: Pool
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.sitting = f"s{uuid4().hex[:12]}"
        self.now = NOW
        self.accounts = [uuid4() for _ in range(4)]
        # What the model believes: the newest registration of each account, and all states.
        self.newest: dict[int, UUID] = {}
        self.states: dict[UUID, str] = {}
        self.deadlines: dict[UUID, Any] = {}
        self.persons: dict[UUID, int] = {}
        self.number = next(NUMBERS)
        self.run(self._begin())

    def run(self, doing: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(doing)

    async def _begin(self) -> None:
        await world.add_sitting(
            self.pool,
            self.sitting,
            {"taoyuan": CAPACITY},
            number=self.number,
            opens_at=NOW,
            closes_at=NOW + WINDOW,
        )

    async def _try(self, act: Callable[[Any], Awaitable[Any]]) -> bool:
        try:
            async with transaction(self.pool) as tx:
                await act(tx)
        except Refused:
            return False
        return True

    def held(self) -> list[UUID]:
        return [one for one, state in self.states.items() if state not in ENDED]

    @rule(who=people)
    def claim(self, who: int) -> None:
        mine = self.newest.get(who)
        has_one = mine is not None and self.states[mine] not in ENDED
        [answer] = self.run(
            world.claim(
                self.pool,
                wish(self.sitting, account_id=self.accounts[who], arrived_at=self.now),
            )
        )
        is_open = self.now < NOW + WINDOW
        expected = has_one or (is_open and len(self.held()) < CAPACITY)
        assert isinstance(answer, Claimed) == expected, answer
        if has_one:
            assert answer.id == mine
        elif expected:
            self.newest[who] = answer.id
            self.states[answer.id] = "drafting"
            self.deadlines[answer.id] = answer.submit_by

    @rule(who=people, person=st.integers(0, 1), age=st.sampled_from(sorted(BIRTH_DATES)))
    def submit(self, who: int, person: int, age: str) -> None:
        mine = self.newest.get(who)
        if mine is None:
            return

        async def act(tx: Any) -> None:
            draft = await drafts.lock(
                tx, registration_id=mine, account_id=self.accounts[who], arrived_at=self.now
            )
            sent = Sent(bytes([person]) * 8, "陳大文", None, BIRTH_DATES[age], "sixian")
            await drafts.submit(tx, draft=draft, sent=sent, arrived_at=self.now)

        done = self.run(self._try(act))
        taken_by_person = any(
            self.persons.get(one) == person and one != mine for one in self.held()
        )
        may = self.states[mine] == "drafting" and self.now < self.deadlines[mine]
        assert done == (may and not taken_by_person)
        if done:
            self.persons[mine] = person
            self.states[mine] = "awaiting_payment" if age == "adult" else "in_review"

    @rule(who=people)
    def withdraw(self, who: int) -> None:
        mine = self.newest.get(who)
        if mine is None:
            return

        async def act(tx: Any) -> None:
            draft = await drafts.lock(
                tx, registration_id=mine, account_id=self.accounts[who], arrived_at=self.now
            )
            await drafts.withdraw(tx, draft=draft, arrived_at=self.now)

        may = self.states[mine] == "drafting" and self.now < self.deadlines[mine]
        assert self.run(self._try(act)) == may
        if may:
            self.states[mine] = "withdrawn"

    @rule(who=people)
    def lapse_unpaid(self, who: int) -> None:
        mine = self.newest.get(who)
        if mine is None or mine not in self.persons:
            return
        self.run(self._try(lambda tx: paying.lapse(tx, lapsed={mine: self.now})))
        if self.states[mine] == "awaiting_payment":
            self.states[mine] = "lapsed"

    @rule(who=people)
    def pay(self, who: int) -> None:
        mine = self.newest.get(who)
        if mine is None or mine not in self.persons or self.states[mine] != "awaiting_payment":
            return
        self.run(self._try(lambda tx: paying.pay(tx, paid={mine: self.now})))
        self.states[mine] = "in_review"

    @rule(who=people, decision=st.sampled_from(["approve", "refuse", "return"]))
    def decide(self, who: int, decision: str) -> None:
        mine = self.newest.get(who)
        if mine is None:
            return
        photo = [ReturnedDocument(document="photo", reason="blurred")]
        about: dict[str, Any] = {"registration_id": mine, "actor": "r", "now": self.now}
        acts: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "approve": lambda tx: deciding.approve(tx, vault=VAULT, **about),
            "refuse": lambda tx: deciding.refuse(tx, **about),
            "return": lambda tx: deciding.return_documents(tx, documents=photo, **about),
        }
        may = self.states[mine] == "in_review"
        assert self.run(self._try(acts[decision])) == may
        if may:
            outcome = {"approve": "confirmed", "refuse": "void", "return": "returned"}
            self.states[mine] = outcome[decision]
            self.deadlines[mine] = self.run(
                self.pool.fetchval("SELECT fix_by FROM registrations WHERE id = $1", mine)
            )

    @rule(who=people)
    def resubmit(self, who: int) -> None:
        mine = self.newest.get(who)
        if mine is None:
            return

        async def act(tx: Any) -> None:
            await deciding.resubmit(
                tx, registration_id=mine, account_id=self.accounts[who], arrived_at=self.now
            )

        may = self.states[mine] == "returned" and self.now < self.deadlines[mine]
        assert self.run(self._try(act)) == may
        if may:
            self.states[mine] = "in_review"

    @rule(later=days)
    def let_time_pass(self, later: int) -> None:
        self.now += timedelta(days=later, hours=1)

        async def jobs(tx: Any) -> None:
            await drafts.lapse(tx, now=self.now)
            await deciding.void_unfixed(tx, now=self.now)

        self.run(self._try(jobs))
        for one, state in self.states.items():
            if state in {"drafting", "returned"} and self.deadlines[one] <= self.now:
                self.states[one] = "lapsed" if state == "drafting" else "void"

    @invariant()
    def the_database_agrees(self) -> None:
        rows = self.run(
            self.pool.fetch(
                "SELECT id, account_id, person, state FROM registrations WHERE sitting = $1",
                self.sitting,
            )
        )
        assert {row["id"]: row["state"] for row in rows} == self.states
        held = [row for row in rows if row["state"] not in ENDED]
        persons = [row["person"] for row in held if row["person"] is not None]
        assert len(set(persons)) == len(persons), "a person holds two places"
        assert len({row["account_id"] for row in held}) == len(held)
        assert self.run(world.taken(self.pool, self.sitting)) == len(held) <= CAPACITY


NUMBERS: Iterator[int] = iter(range(100, 10**6))


@pytest.fixture
def machine(make_database: MakeDatabase) -> Iterator[type[Promises]]:
    """The machine with a database; it keeps a loop of its own, which Hypothesis can drive."""
    loop = asyncio.new_event_loop()

    async def open_() -> Pool:
        pool = await db.create_pool(await make_database("enrollment"), application="test")
        await world.add_programme(pool)
        return pool

    Promises.loop, Promises.pool = loop, loop.run_until_complete(open_())
    yield Promises
    loop.run_until_complete(Promises.pool.close())
    loop.close()


def test_no_sequence_breaks_a_promise(machine: type[Promises]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
