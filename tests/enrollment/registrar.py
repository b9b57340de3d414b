"""A registrar at work: forms as they are typed, sent, accepted and refused."""

import re
from typing import Any

from shared.db import Pool
from tests.site import Site

STAFF = "/enrollment/staff"
SITTING = f"{STAFF}/sittings/tea-2026-first-1"
SERIES = f"{STAFF}/programmes/tea-2026/levels/first/series/national"
TAKEN = "There is one with this code or number already. Choose another."
NAMES = {"title_zh": "新的", "title_en": "A new one"}


def day(name: str, text: str) -> dict[str, str]:
    return dict(zip((f"{name}-year", f"{name}-month", f"{name}-day"), text.split("-"), strict=True))


DETAILS: dict[str, Any] = {
    **NAMES,
    "number": "2",
    **day("exam_date", "2027-06-06"),
    **day("tickets_on", "2027-05-20"),
    **day("results_on", "2027-07-01"),
    "methods": ["atm", "card"],
    "dialects": ["oolong"],
}
WINDOW = {**day("opens_on", "2027-04-01"), **day("closes_on", "2027-04-30")}
NEW: dict[str, Any] = {"code": "tea-2026-first-2", "areas": ["hill", "shore"], **DETAILS, **WINDOW}
PROGRAMME = {
    **NAMES,
    "zone": "Asia/Taipei",
    "year": "2027",
    "publish_time": "09:00",
    "entry": "candidate",
    "fee_rule": "flat",
    "fee_twd": "100",
    "areas": "north | 北 | North\nsouth | 南 | South\n",
}


async def look(site: Site, path: str) -> str:
    answer = await site.client.get(path)
    assert answer.status == 200, path
    return " ".join((await answer.text()).split())


async def send(site: Site, path: str, **form: Any) -> str:
    """Send a form that is accepted; return what the page says that it leads to."""
    if not path.endswith("/new"):
        form = {"seen": await seen(site, path), **form}
    answer = await site.post(path, **form)
    assert answer.status == 303, await errors(site, path, **form)
    return await look(site, answer.headers["Location"])


async def seen(site: Site, path: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', await look(site, path))
    assert found
    return found[1]


async def errors(site: Site, path: str, **form: Any) -> dict[str, str]:
    """Send a form that is refused; return what stands at its fields."""
    if not path.endswith("/new"):
        form = {"seen": await seen(site, path), **form}
    answer = await site.post(path, **form)
    assert answer.status == 422
    shown = " ".join((await answer.text()).split())
    assert "<title>Error: " in shown
    found = re.findall(
        r'<p id="(\w+)-error" class="govuk-error-message"> <span[^>]*>Error:</span> ([^<]*?) ?</p>',
        shown,
    )
    for name, sentence in found:
        assert f">{sentence}</a>" in shown, "the summary says the same"
        assert re.search(rf'href="#{name}(-year)?"', shown)
    return dict(found)


async def acts(pool: Pool) -> list[str]:
    return [row["act"] for row in await pool.fetch("SELECT act FROM audit_lines ORDER BY id")]
