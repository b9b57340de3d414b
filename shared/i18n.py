"""The languages people read: which one a request wants, its sentences, dates and money."""

import gettext
import io
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from yarl import URL

from shared.cookies import cookie_of

SHARED_LOCALES = Path(__file__).parent / "locales"
COOKIE = "lang"
PARAMETER = "lang"
A_YEAR = 365 * 24 * 60 * 60


@dataclass(frozen=True)
class Language:
    """How a language names itself and writes a date, in Unicode's date patterns."""

    name: str
    day: str
    moment: str

    is_source: bool = False  # sentences in the code are written in it: it needs no catalogue


# The first is the default. To add one: a line here, and its .po file in every locales/ folder.
LANGUAGES = {
    "zh-Hant-TW": Language("繁體中文", "y年M月d日（EEEE）", "y年M月d日（EEEE）HH:mm"),
    "en": Language("English", "EEEE d MMMM y", "EEEE d MMMM y 'at' HH:mm", is_source=True),
}
DEFAULT = next(iter(LANGUAGES))


def mark(sentence: str) -> str:
    """Return the sentence as it is; marked so that it is found and translated when shown."""
    return sentence


def locale_of(language: str) -> str:
    return language.replace("-", "_")


class Catalogues:
    """Every sentence in every language. A folder's own sentences come before the shared ones."""

    def __init__(self, folders: Iterable[Path]) -> None:
        folders = [*folders, SHARED_LOCALES]
        self._translations = {language: _read(folders, language) for language in LANGUAGES}

    def gettext(self, language: str, sentence: str) -> str:
        return self._translations[language].gettext(sentence)

    def ngettext(self, language: str, one: str, many: str, count: int) -> str:
        return self._translations[language].ngettext(one, many, count)


def _read(folders: list[Path], language: str) -> gettext.NullTranslations:
    found = gettext.NullTranslations()
    if LANGUAGES[language].is_source:
        return found
    for folder in reversed(folders):
        compiled = io.BytesIO()
        with (folder / f"{locale_of(language)}.po").open("rb") as file:
            write_mo(compiled, read_po(file, locale=locale_of(language)))
        compiled.seek(0)
        translations = gettext.GNUTranslations(compiled)
        translations.add_fallback(found)
        found = translations
    return found


def language_of(request: web.BaseRequest) -> str:
    """Choose by what the person clicked before, else by what the browser asks for."""
    chosen = cookie_of(request, COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return _best_accepted(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))


@lru_cache(maxsize=1_000)  # as many as browsers are set up in
def _best_accepted(header: str) -> str:
    wishes: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, *parameters = part.replace(" ", "").lower().split(";")
        written = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            wishes.append((float(written), tag))
        except ValueError:
            continue
    # Sorting is stable: of two equal wishes the one named first wins.
    for quality, tag in sorted(wishes, key=lambda wish: wish[0], reverse=True):
        # `not >` also turns away NaN.
        if not quality > 0:
            break
        for language in LANGUAGES:
            # zh-HK reads zh-Hant-TW, and en-GB reads en: the first part decides.
            if tag == "*" or tag.split("-")[0] == language.split("-")[0]:
                return language
    return DEFAULT


def switch_language(*, secure: bool) -> Middleware:
    """Make the middleware that answers `?lang=…`: keep the choice, show the same page."""

    async def keep(request: web.Request, chosen: str) -> web.StreamResponse:
        same_page = on_this_site(request.rel_url.without_query_params(PARAMETER))
        response = web.Response(status=303, headers={hdrs.LOCATION: same_page})
        response.set_cookie(
            COOKIE, chosen, max_age=A_YEAR, path="/", samesite="Lax", secure=secure, httponly=True
        )
        return response

    @web.middleware
    def switch(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        is_look = request.method in {hdrs.METH_GET, hdrs.METH_HEAD}
        chosen = request.query.get(PARAMETER) if is_look else None
        return keep(request, chosen) if chosen in LANGUAGES else handler(request)

    return switch


def on_this_site(url: URL) -> str:
    """Write an address as path and query: wherever it comes from, it leads nowhere else."""
    # A path that begins with two slashes would be read as another host.
    path = "/" + url.raw_path.lstrip("/\\")
    return f"{path}?{url.raw_query_string}" if url.raw_query_string else path


def moment(instant: datetime, zone: tzinfo, language: str) -> str:
    """Write an instant: weekday, date, hour and minute."""
    return _format(instant, zone, language, LANGUAGES[language].moment)


def day(when: date, zone: tzinfo, language: str) -> str:
    """Write a calendar day, or that of an instant: weekday and date."""
    if isinstance(when, datetime):
        return _format(when, zone, language, LANGUAGES[language].day)
    midnight = datetime.combine(when, time.min)
    return _write(midnight, LANGUAGES[language].day, locale_of(language))


def deadline(instant: datetime, zone: tzinfo, language: str) -> str:
    """Write the last minute that is still in time: a window that ends at 00:00 says 23:59."""
    return moment(last_minute(instant), zone, language)


def last_minute(deadline: datetime) -> datetime:
    just_before = deadline - timedelta(microseconds=1)
    return just_before.replace(second=0, microsecond=0)


def _format(instant: datetime, zone: tzinfo, language: str, pattern: str) -> str:
    # No pattern shows seconds. Without its zone, since one instant of two zones counts as the same
    # time, and what was written for one would be remembered for the other.
    local = instant.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None)
    return _write(local, pattern, locale_of(language))


@lru_cache(maxsize=1_000)
def _write(local: datetime, pattern: str, locale: str) -> str:
    return format_datetime(local, pattern, locale=locale)


def money(amount_twd: int) -> str:
    return f"NT${amount_twd:,}"
