"""Statistics, for everyone: how many registrations there are, where, in which dialect and when."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from aiohttp import hdrs, web

from services.enrollment import names, statistics
from services.enrollment.names import Names
from services.enrollment.programmes import Choice, Programme
from shared import charts
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.i18n import language_of
from shared.templates import render

# They are counted every minute; a copy may be half of that older.
KEPT_FOR = timedelta(seconds=30)


async def show_statistics(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        known = await names.load(tx)
        counted = {figures.sitting: figures for figures in await statistics.list_(tx)}
    programme = _choose(request.query.get("programme"), known)
    if programme is None:
        return render(request, "public/show_statistics.html", programme=None)
    sittings = [one for one in known.sittings.values() if one.programme == programme.code]
    chosen = known.sittings.get(request.query.get("sitting", ""))
    if chosen is not None and chosen.programme != programme.code:
        raise NoSuchPage
    shown = [counted[one.code] for one in sittings if one.code in counted]
    figures = [one for one in shown if chosen is None or one.sitting == chosen.code]
    sums = statistics.add_up(figures)
    language = language_of(request)
    page = render(
        request,
        "public/show_statistics.html",
        names=known,
        programme=programme,
        chosen=chosen,
        sums=sums,
        # The oldest: none of the figures is older than the page says.
        counted_at=min((one.counted_at for one in figures), default=None),
        by_sitting=[(known.sitting(one.sitting)[language], one.total) for one in shown],
        by_area=_name(programme.areas, sums.by_area, language),
        by_dialect=_name(programme.dialects, sums.by_dialect, language),
        columns=charts.columns(sums.by_day),
        bars=charts.bars,
        zone=programme.zone,
    )
    if PRINCIPAL not in request:
        page.headers[hdrs.CACHE_CONTROL] = f"public, max-age={int(KEPT_FOR.total_seconds())}"
    return page


def _choose(asked: str | None, known: Names) -> Programme | None:
    """Choose the programme that was asked for, or the newest that people register for, if any."""
    if asked is None:
        open_ones = [one for one in known.programmes.values() if one.entry == "candidate"]
        return max(open_ones, key=lambda one: one.year, default=None)
    programme = known.programmes.get(asked)
    if programme is None:
        raise NoSuchPage
    return programme


def _name(
    choices: Sequence[Choice], numbers: Mapping[str, int], language: str
) -> list[tuple[str, int]]:
    """Give the numbers their names, in the order of the catalogue; none is 0."""
    return [(choice.titles[language], numbers.get(choice.code, 0)) for choice in choices]


ROUTES = [
    web.get("/statistics", show_statistics),
]
