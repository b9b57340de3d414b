"""Which language a page is in, how it is switched, and how dates and money are written."""

import asyncio
import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from shared import i18n
from shared.i18n import Catalogues, language_of, switch_language

TAIPEI = ZoneInfo("Asia/Taipei")


def asking(accepts: str | None = None, cookie: str | None = None) -> web.Request:
    headers = {}
    if accepts is not None:
        headers["Accept-Language"] = accepts
    if cookie is not None:
        headers["Cookie"] = f"lang={cookie}"
    return make_mocked_request("GET", "/", headers=headers)


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        (None, "zh-Hant-TW"),
        ("", "zh-Hant-TW"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-Hant-TW"),
        ("zh;q=0.2, en;q=0.9", "en"),
        ("en;q=0.5, zh-HK;q=0.8", "zh-Hant-TW"),
        ("de, fr;q=0.5", "zh-Hant-TW"),
        ("de, en;q=0.1", "en"),
        ("en;q=0", "zh-Hant-TW"),
        ("*", "zh-Hant-TW"),
        ("EN-us ; Q=0.8", "en"),
        ("en;q=nan, zh", "zh-Hant-TW"),
        ("en;q=nonsense", "zh-Hant-TW"),
        (";;,,;q=", "zh-Hant-TW"),
    ],
)
def test_the_browser_is_asked_first(accepts: str | None, language: str) -> None:
    assert language_of(asking(accepts)) == language


def test_a_click_is_stronger_than_the_browser() -> None:
    assert language_of(asking("zh-TW", cookie="en")) == "en"


def test_an_unknown_cookie_is_ignored() -> None:
    assert language_of(asking("en", cookie="tlh")) == "en"


async def client_of(*, secure: bool = False) -> TestClient[web.Request, web.Application]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=language_of(request))

    app = web.Application(middlewares=[switch_language(secure=secure)])
    app.router.add_route("*", "/{path:.*}", page)
    return TestClient(TestServer(app))


async def test_switching_keeps_the_page_and_is_remembered() -> None:
    async with await client_of() as client:
        answer = await client.get("/places?area=%E8%87%BA%E5%8C%97&lang=en&area=b%26c")
        assert str(answer.url.relative()) == "/places?area=%E8%87%BA%E5%8C%97&area=b%26c"
        assert await answer.text() == "en"
        assert await (await client.get("/other")).text() == "en"


@pytest.mark.parametrize(("secure", "expected"), [(True, True), (False, False)])
async def test_the_choice_is_kept_a_year_in_a_lax_cookie(secure: bool, expected: bool) -> None:
    async with await client_of(secure=secure) as client:
        answer = await client.get("/?lang=en", allow_redirects=False)
        assert answer.status == 303
        assert answer.headers["Location"] == "/"
        cookie = answer.headers["Set-Cookie"]
        assert "Max-Age=31536000; Path=/" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is expected


@pytest.mark.parametrize(
    "path", ["//evil.example/?lang=en", "///evil.example?lang=en", "/\\evil.example?lang=en"]
)
async def test_switching_never_leads_to_another_site(path: str) -> None:
    async with await client_of() as client:
        # By hand: a client would tidy the address up before sending it.
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: exam.example\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.close()
        location = re.search(r"Location: (.*)\r", head)
        assert location is not None
        assert re.match(r"/(?![/\\])", location[1])


async def test_an_unknown_language_or_a_sent_form_is_left_alone() -> None:
    async with await client_of() as client:
        assert (await client.get("/?lang=tlh", allow_redirects=False)).status == 200
        assert (await client.post("/?lang=en", allow_redirects=False)).status == 200


def test_a_window_that_ends_at_midnight_says_the_last_minute_of_the_day() -> None:
    end = datetime(2026, 5, 6, tzinfo=TAIPEI)
    assert i18n.deadline(end, TAIPEI, "zh-Hant-TW") == "2026年5月5日（星期二）23:59"
    assert i18n.deadline(end, TAIPEI, "en") == "Tuesday 5 May 2026 at 23:59"


def test_an_instant_is_written_in_the_zone_of_the_programme() -> None:
    release = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
    assert i18n.moment(release, TAIPEI, "zh-Hant-TW") == "2026年3月16日（星期一）09:00"
    assert i18n.moment(release, ZoneInfo("Europe/London"), "en") == "Monday 16 March 2026 at 01:00"
    assert i18n.moment(release, TAIPEI, "en") == "Monday 16 March 2026 at 09:00"
    assert i18n.day(release, TAIPEI, "zh-Hant-TW") == "2026年3月16日（星期一）"


def test_money_has_its_unit() -> None:
    assert i18n.money(250) == "NT$250"
    assert i18n.money(19999) == "NT$19,999"


def test_a_sentence_without_translation_is_shown_as_it_is() -> None:
    catalogues = Catalogues([])
    assert catalogues.gettext("zh-Hant-TW", "Sign in") == "登入"
    assert catalogues.gettext("en", "Sign in") == "Sign in"
    assert catalogues.gettext("zh-Hant-TW", "Never written") == "Never written"
    assert catalogues.ngettext("en", "%(num)s day", "%(num)s days", 2) == "%(num)s days"


def test_a_date_without_an_hour_is_the_same_in_every_zone() -> None:
    for zone in (TAIPEI, ZoneInfo("Europe/London")):
        assert i18n.day(date(2026, 12, 19), zone, "en") == "Saturday 19 December 2026"
        assert i18n.day(date(2026, 12, 19), zone, "zh-Hant-TW") == "2026年12月19日（星期六）"
