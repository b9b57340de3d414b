"""The reckoning of money under fire: what the providers took against everything that we say."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.payments import ledger, rules
from shared import bus, dead_letters
from shared.db import Pool, Tx
from shared.events import decode
from shared.events.payments import OrderPaid
from tests.chaos.payers import Payers
from tests.chaos.targets import Targets
from tests.chaos.verdict import show
from tests.sandbox import Sandbox

WITNESS = "witness"  # a queue that only this run reads
# A payment by its names: the provider, our number, the provider's number.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Verdict:
    """What was taken, and what became of it."""

    orders: int
    orders_nobody_paid: int
    seconds: float
    settled_after_seconds: float
    faults: Counter[str]
    asked: int
    payments_at_providers: int
    payments_counted: int
    payments_found_by_asking: int  # no notice of them ever arrived
    paid_orders: int
    overpayments: int
    told_paid: int
    announced: int
    announced_again: int  # the same message, delivered once more
    captured_twd: int
    counted_twd: int
    ledger_twd: int
    paid_orders_twd: int
    overpaid_twd: int
    wrong: Sequence[str]

    @property
    def is_good(self) -> bool:
        return (
            not self.wrong
            and self.captured_twd == self.counted_twd == self.ledger_twd
            and self.captured_twd == self.paid_orders_twd + self.overpaid_twd
            and self.payments_at_providers == self.payments_counted
            and self.payments_counted == self.paid_orders + self.overpayments
            and self.orders == self.paid_orders == self.told_paid == self.announced
        )

    def print(self) -> None:
        show("money", vars(self), good=self.is_good, in_words="every dollar is where it belongs")


@dataclass(frozen=True)
class Books:
    """What payments says, all of it at one moment."""

    counted: Mapping[Key, int]
    kinds: Mapping[str, int]
    sums: Mapping[str, int]
    found_by_asking: int
    overpaid_and_not_owed_back: int
    unsettled_notices: int
    paid: Mapping[UUID, UUID]  # paid orders, by their registrations
    of_order: Mapping[str, UUID]  # the order of each of our numbers
    held_twd: int
    broken: Sequence[str]


async def judge(
    house: Targets,
    pool: Pool,
    sandbox: Sandbox,
    crowd: Payers,
    *,
    faults: Counter[str],
    seconds: float,
    settled_after_seconds: float,
) -> Verdict:
    """Hold what the providers took against the books, the news, and what people were told."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        books = await _read_books(connection)
    taken = {
        (one["provider"], one["number"], one["provider_number"]): one["amount_twd"]
        for one in (await sandbox.captured())["movements"]
        if one["kind"] == "captured"
    }
    heard = await _hear(house.amqp_url)
    dead = len(await dead_letters.list_(house.amqp_url, "payments"))
    wrong = [
        *house.misbehaved,
        *_compare(taken, books, crowd),
        *_compare_news(heard, set(books.paid.values())),
    ]
    if dead:
        wrong.append(f"{dead} messages could not be handled")
    return Verdict(
        orders=sum(person.pays for person in crowd.people),
        orders_nobody_paid=sum(not person.pays for person in crowd.people),
        seconds=seconds,
        settled_after_seconds=settled_after_seconds,
        faults=faults,
        asked=crowd.asked,
        payments_at_providers=len(taken),
        payments_counted=len(books.counted),
        payments_found_by_asking=books.found_by_asking,
        paid_orders=len(books.paid),
        overpayments=books.kinds.get("overpaid", 0),
        told_paid=len(crowd.told),
        announced=len(heard),
        announced_again=sum(times.total() - len(times) for times in heard.values()),
        captured_twd=sum(taken.values()),
        counted_twd=sum(books.counted.values()),
        ledger_twd=books.held_twd,
        paid_orders_twd=books.sums.get("order", 0),
        overpaid_twd=books.sums.get("overpaid", 0),
        wrong=wrong,
    )


async def _read_books(tx: Tx) -> Books:
    captures = await tx.fetch("SELECT * FROM captures")
    sums: Counter[str] = Counter()
    for row in captures:
        sums[row["kind"]] += row["amount_twd"]
    balances = await ledger.list_balances(tx)
    paid = await tx.fetch(
        """
        SELECT registration_id, order_id FROM orders JOIN order_items ON order_id = orders.id
         WHERE state = 'paid'
        """
    )
    attempts = await tx.fetch("SELECT trade_number, order_id FROM attempts")
    return Books(
        counted={
            (row["provider"], row["trade_number"], row["provider_number"]): row["amount_twd"]
            for row in captures
        },
        kinds=Counter(row["kind"] for row in captures),
        sums=sums,
        found_by_asking=await tx.fetchval(
            """
            SELECT count(*) FROM captures
             WHERE NOT EXISTS (SELECT FROM notices
                                WHERE notices.trade_number = captures.trade_number
                                  AND reading = 'paid')
            """
        ),
        overpaid_and_not_owed_back=await tx.fetchval(
            """
            SELECT count(*) FROM captures
             WHERE kind = 'overpaid'
               AND 1 <> (SELECT count(*) FROM refunds
                          WHERE capture_id = captures.id AND state = 'due'
                            AND refunds.amount_twd = captures.amount_twd - $1)
            """,
            rules.HANDLING_TWD,
        ),
        unsettled_notices=await tx.fetchval("SELECT count(*) FROM notices_unsettled"),
        paid={row["registration_id"]: row["order_id"] for row in paid},
        of_order={row["trade_number"]: row["order_id"] for row in attempts},
        held_twd=balances.get("ecpay", 0) + balances.get("line_pay", 0),
        broken=[check.what for check in await ledger.verify(tx) if not check.holds],
    )


def _compare(taken: Mapping[Key, int], books: Books, crowd: Payers) -> Iterator[str]:
    """Say what does not fit between the providers, the books, and what people were told."""
    both = taken.keys() & books.counted.keys()
    payers = {person.registration_id for person in crowd.people if person.pays}
    orders_taken_for = {books.of_order[number] for _, number, _ in taken}
    numbers = {
        "payments were not counted": len(taken.keys() - both),
        "payments were counted and never made": len(books.counted.keys() - both),
        "payments have another amount": sum(taken[key] != books.counted[key] for key in both),
        "payments are neither an order's nor an overpayment": sum(
            times for kind, times in books.kinds.items() if kind not in {"order", "overpaid"}
        ),
        "overpayments are not owed back as they should": books.overpaid_and_not_owed_back,
        "orders are paid and no money came, or the other way round": len(
            orders_taken_for ^ set(books.paid.values())
        ),
        "people paid and their order does not say so": len(payers - books.paid.keys()),
        "people were told that they had paid, and had not": len(crowd.told - books.paid.keys()),
        "notices wait for a repair": books.unsettled_notices,
    }
    yield from (f"{count} {words}" for words, count in numbers.items() if count)
    yield from (f"the ledger does not hold: {what}" for what in books.broken)


async def _hear(amqp_url: str) -> Mapping[UUID, Counter[str]]:
    """Read which orders were announced as paid, each by which messages."""
    heard: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    async with await bus.connect(amqp_url, name="chaos") as connection:
        queue = await (await connection.channel()).get_queue(WITNESS)
        while message := await queue.get(no_ack=True, fail=False):
            if message.type == OrderPaid.name:
                for event in decode(OrderPaid, message.body):
                    heard[event.order_id][str(message.message_id)] += 1
    return heard


def _compare_news(heard: Mapping[UUID, Counter[str]], paid: set[UUID]) -> Iterator[str]:
    """Say what was announced wrongly. The same message may come twice; its facts may not."""
    numbers = {
        "orders were paid and not announced": len(paid - heard.keys()),
        "orders were announced and not paid": len(heard.keys() - paid),
        "orders were announced by two messages": sum(len(by) > 1 for by in heard.values()),
    }
    yield from (f"{count} {words}" for words, count in numbers.items() if count)
