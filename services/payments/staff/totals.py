"""Daily totals, for finance: what came by each method, and what went back, drawn and as a table."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from aiohttp import web

from services.payments import money_lists
from services.payments.money_lists import METHODS, Total
from services.payments.staff import asked
from shared import audit, charts, exports
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render, translate

DAYS_SHOWN = 30
# A page and a file of some size; longer is asked for in parts.
MOST_DAYS = 400
WENT_BACK = mark("Paid back")


@dataclass
class Sums:
    """Totals put together as they are shown."""

    methods: Sequence[str]
    by_day: Mapping[date, Mapping[str, int]]
    by_method: Mapping[str, int]
    payments: Mapping[str, int]
    back_by_day: Mapping[date, int] = field(default_factory=dict)

    @property
    def days(self) -> list[date]:
        return sorted({*self.by_day, *self.back_by_day}, reverse=True)

    @property
    def came_by_day(self) -> dict[date, int]:
        return {day: sum(numbers.values()) for day, numbers in sorted(self.by_day.items())}

    @property
    def came_twd(self) -> int:
        return sum(self.by_method.values())

    @property
    def back_twd(self) -> int:
        return sum(self.back_by_day.values())


def add_up(totals: Sequence[Total]) -> Sums:
    by_day: defaultdict[date, Counter[str]] = defaultdict(Counter)
    by_method, payments, back = Counter[str](), Counter[str](), Counter[date]()
    for total in totals:
        if total.method is None:
            back[total.day] += total.amount_twd
            continue
        by_day[total.day][total.method] += total.amount_twd
        by_method[total.method] += total.amount_twd
        payments[total.method] += total.number
    # Money by a method nobody knows is rare: its column shows when there is some.
    methods = [name for name in METHODS if name != "unknown" or name in by_method]
    return Sums(methods, by_day, by_method, payments, back)


def _read_days(asked_for: Mapping[str, object], today: date) -> tuple[date, date]:
    last = asked.day(asked_for.get("last", "")) or today
    first = asked.day(asked_for.get("first", "")) or last - timedelta(days=DAYS_SHOWN - 1)
    return max(min(first, last), last - timedelta(days=MOST_DAYS - 1)), last


async def show_totals(request: web.Request) -> web.Response:
    zone = request.app[SETTINGS].time_zone
    first, last = _read_days(request.query, request[ARRIVED_AT].astimezone(zone).date())
    async with transaction(request.app[POOL]) as tx:
        totals = await money_lists.list_totals(tx, first=first, last=last, zone=zone)
    sums = add_up(totals)
    return render(
        request,
        "staff/show_totals.html",
        first=first,
        last=last,
        sums=sums,
        methods=METHODS,
        bars=charts.bars(
            [(translate(request, METHODS[m]), sums.by_method[m]) for m in sums.methods]
        ),
        columns=charts.columns(sums.came_by_day),
        zone=zone,
    )


async def export_totals(request: web.Request) -> web.Response:
    zone = request.app[SETTINGS].time_zone
    today = request[ARRIVED_AT].astimezone(zone).date()
    first, last = _read_days(await request.post(), today)
    async with transaction(request.app[POOL]) as tx:
        totals = await money_lists.list_totals(tx, first=first, last=last, zone=zone)
        facts = {"first": first.isoformat(), "last": last.isoformat()}
        line = Line(str(request[PRINCIPAL].id), "totals_exported", "totals", facts)
        await audit.record(tx, [line])
    sums = add_up(totals)
    rows = [
        (
            day.isoformat(),
            *(sums.by_day[day][method] if day in sums.by_day else 0 for method in sums.methods),
            sums.came_by_day.get(day, 0),
            sums.back_by_day.get(day, 0),
        )
        for day in reversed(sums.days)
    ]
    header = [mark("Day"), *(METHODS[method] for method in sums.methods), mark("Sum"), WENT_BACK]
    return await exports.answer(request, name="totals", header=header, rows=rows)


ROUTES = [
    web.get("/totals", show_totals),
    web.post("/totals/exports", export_totals),
]
