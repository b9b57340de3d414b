"""Every page in every language: strict, escaped, without inline script, and kept by the switch."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import jinja2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from markupsafe import Markup
from pydantic import BaseModel, SecretStr

from services.enrollment.calendars import Calendar
from shared.audit import Entry
from shared.forms import Form, Says
from shared.i18n import LANGUAGES, Catalogues, switch_language
from shared.static import Asset, StaticFiles
from shared.templates import GAP, TEMPLATES, Templates, render, translate

SERVICES = Path(__file__).parents[2] / "services"
NAMES = sorted(path.parent.name for path in SERVICES.glob("*/templates"))


SOMEBODY = UUID(int=7)


@dataclass(frozen=True)
class Person:
    id: UUID = SOMEBODY
    name: str = "王<大>同"
    person: str = "王<大>同"
    language: str = "en"
    email: str = "datong@exam.example"
    is_staff: bool = True
    roles: tuple[str, ...] = ("registrar", "examiner")


class SignIn(BaseModel):
    email: Annotated[str, Says("Enter your name")]
    password: Annotated[SecretStr, Says("Enter your password")]
    next: str = ""


def templates_of(service: str, *folders: Path) -> Templates:
    names = ["examhall.css", "examhall.js", "favicon.svg"]
    static = StaticFiles({n: Asset(f"/static/x-{n}", "text/plain", b"", b"") for n in names})
    return Templates(
        [*folders, SERVICES / service / "templates"],
        static=static,
        catalogues=Catalogues([SERVICES / service / "locales"]),
    )


def scrap(tmp_path: Path, source: str) -> Templates:
    (tmp_path / "scrap.html").write_text(source)
    return templates_of("identity", tmp_path)


AUDIT_LINE = Entry(datetime(2026, 5, 5, 15, 59, tzinfo=UTC), "clerk", "approved", "r-1")
STAFF: dict[str, Any] = {
    "events_waiting": 3,
    "oldest_waiting_seconds": 1.7,
    "audit_lines": [AUDIT_LINE],
    "zone": ZoneInfo("Asia/Taipei"),
}
QUIET: dict[str, Any] = {
    "events_waiting": 0,
    "oldest_waiting_seconds": None,
    "audit_lines": [],
    "zone": ZoneInfo("Asia/Taipei"),
}
NOW = datetime(2026, 5, 1, tzinfo=UTC)
# What any of the services shows on it.
FIRST_PAGE: dict[str, Any] = {
    "account": None,
    "notice": None,
    "calendar": Calendar(NOW, [], [], {}),
    "now": NOW,
}
PAGES: list[tuple[str, str, dict[str, Any]]] = [
    ("identity", "public/home.html", {}),
    (
        "identity",
        "public/sign_in.html",
        {"form": Form.blank(SignIn, next="/payments/"), "with_issuer": True},
    ),
    ("identity", "refused.html", {"refusal": "100% taken"}),
    *[("identity", "problem.html", {"status": s, "reference": "r-7"}) for s in (404, 500, 503)],
    ("identity", "problem.html", {"status": 418, "reference": None}),
    *[(name, "public/first_page.html", FIRST_PAGE) for name in NAMES],
    ("identity", "public/first_page.html", {"account": Person(), "notice": "Done"}),
    *[(name, "staff/first_page.html", STAFF | {"service": name}) for name in NAMES],
    *[(name, "staff/first_page.html", QUIET | {"service": name}) for name in NAMES],
]


@pytest.mark.parametrize("principal", [None, Person()])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("service", "template", "context"), PAGES)
async def test_every_page_renders_without_inline_script_or_style(
    service: str, template: str, context: dict[str, Any], language: str, principal: Person | None
) -> None:
    context = {"status": 200, **context}
    html = templates_of(service).render(
        template, language=language, path="/", switches=[], principal=principal, **context
    )
    assert html.lstrip().startswith("<!doctype html>")
    assert f'<html lang="{language}"' in html
    assert html.count("<h1") == 1
    assert "<大>" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", html)
    # No sentence may be left in English on a Chinese page.
    if language == "zh-Hant-TW":
        assert "Examhall" not in html


async def client_of(
    templates: Templates, page: Any, *, path: str = "/page"
) -> TestClient[web.Request, web.Application]:
    app = web.Application(middlewares=[switch_language(secure=False)])
    app[TEMPLATES] = templates
    app.router.add_route("*", path, page)
    return TestClient(TestServer(app))


async def test_the_switch_leads_to_the_same_page_with_all_its_parameters() -> None:
    async def page(request: web.Request) -> web.Response:
        return render(request, "public/first_page.html", account=None, notice=None)

    async with await client_of(templates_of("payments"), page) as client:
        answer = await client.get("/page?area=a%26b&lang=zh-Hant-TW")
        assert answer.headers["Vary"] == "Accept-Language, Cookie"
        html = await answer.text()
        assert '<html lang="zh-Hant-TW"' in html
        href = re.search(r'href="([^"]*)" lang="en"', html)
        assert href is not None
        assert href[1] == "/page?area=a%26b&amp;lang=en"
        switched = await client.get(href[1].replace("&amp;", "&"))
        assert '<html lang="en"' in await switched.text()


@pytest.mark.parametrize(
    ("referrer", "href"),
    [
        ("{here}/form?a=b", "/form?a=b&amp;lang=en"),
        ("https://evil.example/form", "/?lang=en"),
        ("https://[nonsense", "/?lang=en"),
        (None, "/?lang=en"),
    ],
)
async def test_on_an_answer_to_a_form_the_switch_leads_to_the_form(
    referrer: str | None, href: str
) -> None:
    async def page(request: web.Request) -> web.Response:
        return render(request, "refused.html", status=409, refusal="No")

    async with await client_of(templates_of("identity"), page) as client:
        here = str(client.make_url("")).rstrip("/")
        headers = {"Referer": referrer.format(here=here)} if referrer else {}
        answer = await client.post("/page", headers=headers)
        assert answer.status == 409
        assert f'href="{href}" lang="en"' in await answer.text()


async def test_a_refused_form_says_the_same_at_the_top_and_at_the_field() -> None:
    async def page(request: web.Request) -> web.Response:
        form = Form.read(SignIn, await request.post())
        form.add_error("email", "Check this answer")
        return render(request, "public/sign_in.html", status=422, form=form, with_issuer=False)

    async with await client_of(templates_of("identity"), page) as client:
        sent = {"email": 'me"@exam.example', "password": "hunter2", "next": "/payments/"}
        answer = await client.post("/page", data=sent)
        html = await answer.text()
        assert answer.status == 422
        assert "<title>錯誤：登入 – 應試堂</title>" in html
        assert '<a href="#email">請檢查這一欄的內容</a>' in html
        assert html.count("請檢查這一欄的內容") == 2
        assert 'value="me&#34;@exam.example"' in html
        assert 'value="/payments/"' in html
        assert "hunter2" not in html


class Birth(BaseModel):
    born: Annotated[date, Says("Enter your birth date")]


def test_the_summary_leads_to_the_first_part_of_a_date(tmp_path: Path) -> None:
    source = (
        '{% from "macros/fields.html" import date_field, error_summary %}'
        '{{ error_summary(form) }}{{ date_field(form, "born", "Birth date", autocomplete="bday") }}'
    )
    form = Form.blank(Birth, born={"year": "2007", "month": "13", "day": "1"})
    form.add_error("born", "Enter your birth date")
    html = scrap(tmp_path, source).render("scrap.html", language="en", form=form)
    assert 'href="#born-year"' in html
    assert 'id="born-year" name="born-year"' in html
    assert 'value="13"' in html
    assert 'autocomplete="bday-month"' in html


@pytest.mark.parametrize("source", ["{{ nobody }}", "{% if nobody %}{% endif %}", "{{ day.moon }}"])
def test_an_unknown_name_is_an_error(tmp_path: Path, source: str) -> None:
    with pytest.raises(jinja2.UndefinedError):
        scrap(tmp_path, source).render("scrap.html", language="en", day=date(2026, 5, 5))


def test_what_people_enter_is_escaped(tmp_path: Path) -> None:
    source = "{{ name }}{% trans %}Hi {{ name }}{% endtrans %}{{ name | translated }}"
    html = scrap(tmp_path, source).render("scrap.html", language="en", name="<b>")
    assert html == "&lt;b&gt;Hi &lt;b&gt;&lt;b&gt;"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("計 & 分", "計 &amp; 分"),
        ('"x"', "&#34;x&#34;"),
        ("it's", "it&#39;s"),
        (Markup("<i>"), "<i>"),
        (["<"], "[&#39;&lt;&#39;]"),
        (None, "None"),
        (12, "12"),
        (GAP, GAP),
    ],
)
def test_every_sign_that_means_something_in_a_page_is_escaped_once(
    tmp_path: Path, value: object, written: str
) -> None:
    source = "{{ value }}{% set kept %}{{ value }}{% endset %}{{ kept }}"
    html = scrap(tmp_path, source).render("scrap.html", language="en", value=value)
    assert html == written * 2


def test_the_language_of_a_page_is_not_that_of_anything_on_it(tmp_path: Path) -> None:
    source = '{{ language }} {{ letter.language }} {{ {"en": 1}[language] }}'
    html = scrap(tmp_path, source).render(
        "scrap.html", language="en", letter={"language": "zh-Hant-TW"}
    )
    assert html == "en zh-Hant-TW 1"


def test_times_are_written_for_people_and_for_machines(tmp_path: Path) -> None:
    source = (
        '{% from "macros/times.html" import countdown, deadline, moment %}'
        "{{ deadline(at, zone) }}{{ moment(at, zone) }}{{ countdown(at, at) }}"
    )
    zone = ZoneInfo("Asia/Taipei")
    at = datetime(2026, 5, 6, tzinfo=zone)
    html = scrap(tmp_path, source).render("scrap.html", language="zh-Hant-TW", at=at, zone=zone)
    assert "2026年5月5日（星期二）23:59</time>" in html
    assert 'datetime="2026-05-05T23:59:00+08:00"' in html
    assert "2026年5月6日（星期三）00:00</time>" in html
    assert 'data-countdown="2026-05-06T00:00:00+08:00"' in html


async def test_python_says_sentences_in_the_language_of_the_request() -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=translate(request, "Sign in"))

    async with await client_of(templates_of("identity"), page) as client:
        for language, text in [("en", "Sign in"), ("zh-TW", "登入")]:
            answer = await client.get("/page", headers={"Accept-Language": language})
            assert await answer.text() == text
