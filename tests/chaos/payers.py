"""People who pay, and what they come across: they take codes, go to stores, banks and cashiers,
and look at their orders until these say that the money has arrived."""

import asyncio
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from uuid import UUID

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from tests.payments.payer import read_hidden
from tests.site import FROM_OUR_PAGE

AT_ONCE = 24
PAUSE_SECONDS = 0.5
# People do not come as fast as they could: the run is to be long enough for blows.
LONGEST_PAUSE_BETWEEN = 0.5
SHORTEST_LOOK, LONGEST_LOOK = 0.5, 3.0
# Whoever does not mean to pay looks so often; whoever has paid and is impatient pays once more.
LOOKS_OF_OTHERS, LOOKS_OF_THE_IMPATIENT = 2, 4

ARRIVED = "Your payment has arrived."
PAID_THERE = "付款完成"  # ECPay's cashier
CODE = re.compile(r'<dd class="code">([^<]+)</dd>')
LINE_PAY = re.compile(r'href="([^"]+/line-pay/pay/[^"]+)"')
NUMBER = re.compile(r"<dd>(EH\d+)</dd>")
MAY_APPROVE = 'value="approve"'

# How the providers misbehave towards some: deploy/sandbox/faults.py.
AT_ECPAY: Sequence[Mapping[str, Any]] = (
    {"kind": "duplicate", "copies": 5},
    {"kind": "late", "seconds": 2},
    {"kind": "silent"},
    {"kind": "reordered"},
)
AT_LINE_PAY: Sequence[Mapping[str, Any]] = (
    {"kind": "hang", "on": "confirm", "seconds": 0.5},
    {"kind": "fail", "on": "confirm"},
    {"kind": "fail", "on": "confirm", "done": False},
    {"kind": "code", "on": "confirm", "code": "1198"},
)


@dataclass(frozen=True)
class Person:
    """Somebody who owes, and how they mean to pay."""

    account_id: UUID
    registration_id: UUID
    amount_twd: int
    ways: Sequence[str]  # two: a code is taken for each, and both are paid
    pays: bool
    is_troubled: bool  # the provider misbehaves
    is_impatient: bool


@dataclass(frozen=True)
class Page:
    """What somebody was answered."""

    status: int
    location: str
    text: str


@dataclass(frozen=True)
class Begun:
    """A way to pay that was begun: where one pays, and as what the provider knows it."""

    way: str
    page: str
    number: str


@dataclass
class Payers:
    """A crowd; everybody asks again until there is an answer."""

    site: str
    sandbox: str
    people: Sequence[Person]
    dice: random.Random
    sign_in: Callable[[UUID], str]
    cookies: dict[UUID, str] = field(default_factory=dict)
    begun: int = 0
    asked: int = 0
    answered: int = 0
    told: set[UUID] = field(default_factory=set)  # registrations whose order said "paid"

    async def pay_all(self) -> None:
        waiting = iter(self.people)
        async with (
            ClientSession(
                connector=TCPConnector(limit=2 * AT_ONCE),
                timeout=ClientTimeout(total=15),
                cookie_jar=DummyCookieJar(),
            ) as self._session,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(AT_ONCE):
                tasks.create_task(self._serve(waiting, tasks))

    async def _serve(self, waiting: Iterator[Person], tasks: asyncio.TaskGroup) -> None:
        for person in waiting:
            self.begun += 1
            order = await self._find_order(person)
            begun = [await self._begin(person, order, way) for way in person.ways]
            for each in begun:
                if each is not None:
                    await (self._pay(person, each) if person.pays else self._walk_away(each))
            tasks.create_task(self._look(person, order))
            await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE_BETWEEN))

    async def _find_order(self, person: Person) -> str:
        """Come from one's registration, and wait until its order is there."""
        while True:
            page = await self._visit(person, f"/payments/registrations/{person.registration_id}")
            if page.location.startswith("/payments/orders/"):
                return page.location
            await asyncio.sleep(PAUSE_SECONDS)

    async def _begin(self, person: Person, order: str, way: str) -> Begun | None:
        """Choose a way and go to where one pays; nowhere, when the order has been paid."""
        while True:
            chosen = await self._visit(person, f"{order}/attempts", {"way": way})
            page = await self._visit(person, chosen.location or order)
            text = unescape(page.text)
            if ARRIVED in text:
                return None
            if way == "line_pay" and (found := LINE_PAY.search(text)):
                there = await self._ask("GET", found[1])
                return Begun(way, found[1], NUMBER.findall(there.text)[0])
            if fields := read_hidden(text):
                cashier = f"{self.sandbox}/ecpay/Cashier/AioCheckOut/V5"
                opened = await self._ask("POST", cashier, data=fields)
                if opened.status == 303:
                    page_there = f"{self.sandbox}{opened.location}"
                    return Begun(way, page_there, fields["MerchantTradeNo"])
            # The provider was away, or took the form and was struck: begin again.
            await asyncio.sleep(PAUSE_SECONDS)

    async def _pay(self, person: Person, begun: Begun) -> None:
        if person.is_troubled:
            kinds = AT_LINE_PAY if begun.way == "line_pay" else AT_ECPAY
            trouble = {**self.dice.choice(kinds), "number": begun.number}
            await self._ask("POST", f"{self.sandbox}/control/faults", json=trouble)
        if begun.way == "line_pay":
            await self._approve(begun)
        else:
            while not await self._go_on(begun):
                pass

    async def _go_on(self, begun: Begun, *, pays: bool = True) -> bool:
        """Do what is next at ECPay's cashier or at the store; tell whether all is done."""
        page = await self._ask("GET", begun.page)
        if PAID_THERE in page.text:
            return True
        if begun.way == "card":
            if pays:
                await self._press(begun.page, "pay")
            return not pays
        if code := CODE.findall(page.text):
            if pays:
                counter = f"{self.sandbox}/counter/"
                form = {"code": " ".join(code), "place": "ibon"}
                await self._ask("POST", counter, data=form, headers=FROM_OUR_PAGE)
            return not pays
        await self._press(begun.page, "issue")
        return False

    async def _approve(self, begun: Begun) -> None:
        """Approve, and come back or close the browser; whoever is not answered closes it, too."""
        page = await self._ask("GET", begun.page)
        if MAY_APPROVE not in page.text:
            return
        comes_back = self.dice.random() < 0.7
        back = await self._press(begun.page, "approve" if comes_back else "approve_only")
        if comes_back and back.location:
            await self._ask("GET", back.location)

    async def _walk_away(self, begun: Begun) -> None:
        """Take a code and do not pay, while somebody claims that it was paid."""
        if begun.way == "line_pay":
            return
        while not await self._go_on(begun, pays=False):
            pass
        claim = {"number": begun.number, "kind": self.dice.choice(("forged", "simulated"))}
        await self._ask("POST", f"{self.sandbox}/control/notices", json=claim)

    async def _look(self, person: Person, order: str) -> None:
        """Look until it says that the money has arrived; the impatient pay once more meanwhile."""
        looks = 0
        while person.pays or looks < LOOKS_OF_OTHERS:
            if self._read(person, await self._visit(person, order)):
                return
            looks += 1
            if person.pays and person.is_impatient and looks == LOOKS_OF_THE_IMPATIENT:
                another = await self._begin(person, order, "card")
                if another is not None:
                    await self._pay(person, another)
            await asyncio.sleep(self.dice.uniform(SHORTEST_LOOK, LONGEST_LOOK))

    async def look_once_more(self) -> None:
        """Let those who have not paid look at the end of it all."""
        async with ClientSession(cookie_jar=DummyCookieJar()) as self._session:
            for person in self.people:
                if not person.pays:
                    page = await self._visit(person, await self._find_order(person))
                    self._read(person, page)

    def _read(self, person: Person, page: Page) -> bool:
        """See whether one's order says that the money has arrived; nobody forgets that it did."""
        if ARRIVED in unescape(page.text):
            self.told.add(person.registration_id)
        return person.registration_id in self.told

    async def _visit(
        self, person: Person, path: str, form: Mapping[str, str] | None = None
    ) -> Page:
        """Open a page of ours, or send a form to it, signed in."""
        method, url = "GET" if form is None else "POST", f"{self.site}{path}"
        while True:
            cookie = self._show_session(person)
            headers = {"Cookie": cookie, "Accept-Language": "en", **FROM_OUR_PAGE}
            page = await self._ask(method, url, data=form, headers=headers)
            if not page.location.startswith("/identity/"):
                return page
            # The session has to be renewed, or its key is not known yet.
            self.cookies.pop(person.account_id, None)
            await asyncio.sleep(PAUSE_SECONDS)

    def _show_session(self, person: Person) -> str:
        if person.account_id not in self.cookies:
            self.cookies[person.account_id] = self.sign_in(person.account_id)
        return self.cookies[person.account_id]

    async def _press(self, page: str, choice: str) -> Page:
        return await self._ask("POST", page, data={"choice": choice}, headers=FROM_OUR_PAGE)

    async def _ask(self, method: str, url: str, **more: Any) -> Page:
        """Ask until somebody is there to answer, as people do."""
        while True:
            self.asked += 1
            try:
                async with self._session.request(
                    method, url, allow_redirects=False, **more
                ) as answer:
                    text = await answer.text()
                    if answer.status < 500:
                        self.answered += 1
                        return Page(answer.status, answer.headers.get("Location", ""), text)
            except (ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(PAUSE_SECONDS)
