"""Results: one person imports and scores, another approves and releases, and letters go out."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from shared import db, outbox
from shared.events.enrollment import EntryRecorded
from shared.events.identity import ContactChanged
from tests.eventually import eventually
from tests.journeys.conftest import Arrive, Place
from tests.journeys.test_staff import sign_in_as
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

STAFF = "/scoring/staff"
SCORES = [("25", "40", "15"), ("11", "40", "15"), ("1", "1", "1")]
WORDS = {
    "en": {"level": "Elementary (80)", "released": "The results are released", "waits": "waits"},
    "zh-Hant-TW": {"level": "初級 (80)", "released": "成績已公布", "waits": "等待中"},
}


def enter(sitting: str, number: int) -> EntryRecorded:
    """What enrollment tells when it confirms a registration."""
    return EntryRecorded(
        entry_id=uuid4(),
        id_number=f"{uuid4().int % 10**6:06}HKC",
        secret_digest="00" * 32,
        programme="hakka-115",
        zone="Asia/Taipei",
        exam="basic",
        exam_titles={"zh-Hant-TW": "基礎級暨初級", "en": "Basic and Elementary"},
        sitting=sitting,
        sitting_titles={"zh-Hant-TW": f"梯次 {sitting}", "en": f"Sitting {sitting}"},
        exam_date=date(2026, 1, 24),
        results_at=datetime(2026, 3, 16, 1, tzinfo=UTC),
        person_name=f"考生{number}",
        latin_name=None,
        birth_date=date(1990, 5, 17),
        dialect="sixian",
        candidate_number=f"R-{number:05}",
        centre_number=None,
        centre_name=None,
        account_id=uuid4(),
        registration_id=uuid4(),
        is_cancelled=False,
        recorded_at=datetime(2026, 1, 5, tzinfo=UTC),
    )


async def tell(place: Place, entries: list[EntryRecorded], email: str) -> None:
    """Have the other services tell of candidates, one of whom can be written to."""
    [first, *_] = entries
    assert first.account_id
    contact = ContactChanged(
        account_id=first.account_id,
        email=email,
        person="王大同",
        language="en",
        changed_at=first.recorded_at,
    )
    for service, events in (("enrollment", entries), ("identity", [contact])):
        connection = await db.connect(
            place.environment[f"{service.upper()}_DATABASE_URL"], application="journeys"
        )
        async with connection.transaction():
            await outbox.publish(connection, events)
        await connection.close()


async def click(clerk: Visitor, what: str) -> None:
    """Press or follow something by what it is, not by its words."""
    async with clerk.page.expect_navigation():
        await clerk.page.locator(f"main {what}").first.click()
    await clerk.look()


async def hand_in(clerk: Visitor, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["id_number", "listening", "speaking", "reading"], *rows])
    file = {"name": "scores.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}
    await clerk.page.set_input_files("#file", file)  # type: ignore[arg-type]
    await click(clerk, "form[action$='/files'] button")


async def score(examiner: Visitor, sitting: str, entries: list[EntryRecorded], level: str) -> None:
    """Import scores, mark a breach and an absence, and compute."""
    await click(examiner, f"a[href='{STAFF}/sittings/{sitting}']")
    await click(examiner, f"a[href='{STAFF}/marks/{sitting}']")
    await click(examiner, "form[action$='/files'] button")
    assert await examiner.page.locator(".govuk-error-summary").count() == 1, "no file was chosen"
    rows = [[entry.id_number, *SCORES[number]] for number, entry in enumerate(entries)]
    await hand_in(examiner, [[rows[0][0], "31", "40", "15"], *rows[1:], ["NOBODY999", "1"]])
    await click(examiner, "form[action$='/import'] button")
    assert await examiner.page.locator("[role=status]").count() == 1
    await examiner.open(f"{STAFF}/marks/{sitting}")
    await hand_in(examiner, rows)
    await click(examiner, "form[action$='/import'] button")
    await examiner.open(f"{STAFF}/candidates/of/{sitting}")
    await examiner.fill(text=entries[2].id_number)
    await click(examiner, "form[role=search] button")
    await click(examiner, "table a")
    await click(examiner, "form[action$='/breaches'] button")
    assert await examiner.page.locator(".govuk-error-summary").count() == 1, "no rule was chosen"
    await examiner.page.select_option("#rule", "6.1")
    await examiner.page.select_option("#place", "listening")
    await click(examiner, "form[action$='/breaches'] button")
    await click(examiner, "form[action$='/absence'] button")
    await examiner.open(f"{STAFF}/results/{sitting}")
    await click(examiner, "form[action$='/computation'] button")
    await examiner.page.locator("#outcomes").wait_for()  # a worker has computed them
    assert level in await examiner.text()
    assert await examiner.page.locator("form[action$='/approval']").count() == 0, "four eyes"
    answer = await examiner.page.request.get(f"{examiner.url}{STAFF}/release/{sitting}")
    assert answer.status == 403


async def release(releaser: Visitor, sitting: str, said: str) -> None:
    """Look, approve, set an instant, stop it, and release."""
    await releaser.open(f"{STAFF}/results/{sitting}")
    await click(releaser, "form[action$='/computation'] button")
    await releaser.page.locator("form[action$='/approval']").wait_for()
    await click(releaser, "form[action$='/approval'] button")
    await releaser.page.locator("form[action$='/instant']").wait_for()
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    await releaser.fill(at=f"{day}T09:00")
    await click(releaser, "form[action$='/instant'] button")
    await click(releaser, "form[action$='/stop'] button")
    await click(releaser, "a[href^='/scoring/digests/']")
    await releaser.open(f"{STAFF}/release/{sitting}")
    await click(releaser, "form[action$='/now'] button")
    assert said in await releaser.text()


async def settle(clerk: Visitor) -> None:
    """Wait until a page looks no more for news: it would do so while another is opened."""
    if clerk.script:
        await clerk.page.locator("main [data-poll]").wait_for(state="detached")


async def correct(examiner: Visitor, releaser: Visitor, entry: EntryRecorded, waits: str) -> None:
    """One proposes that a score was wrong, and the other agrees."""
    await examiner.open(f"{STAFF}/candidates/{entry.entry_id}/correction")
    await examiner.press()
    assert await examiner.page.locator(".govuk-error-summary").count() == 1, "no reason was given"
    await examiner.fill(reason="Points were added twice", listening="10")
    await examiner.press()
    assert waits in await examiner.text()
    await releaser.open(examiner.path)
    await click(releaser, "form[action$='/approval'] button")


@in_two_ways
async def test_from_scores_to_letters(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    sitting, words = f"journey-{uuid4().hex[:8]}", WORDS[language]
    entries = [enter(sitting, number) for number in range(3)]
    email = f"{sitting}@exam.example"
    await tell(place, entries, email)
    examiner, releaser = [await arrive(language, script=script) for _ in range(2)]
    await sign_in_as(examiner, place, "examiner")
    await sign_in_as(releaser, place, "releaser")

    async def is_known() -> bool:
        await examiner.page.goto(f"{examiner.url}{STAFF}/")
        return sitting in await examiner.page.content()

    await eventually(is_known)
    await examiner.look()
    await score(examiner, sitting, entries, words["level"])
    await release(releaser, sitting, words["released"])

    # The candidate gets a letter; what it is about, only the page behind it says.
    candidate = await arrive("en", script=script)
    letter = await candidate.open_letter(email)
    assert entries[0].id_number not in letter  # nobody has proved the address
    assert "Elementary" not in letter.replace("Basic and Elementary", "")
    await settle(releaser)
    await releaser.open(f"/notify/staff/mailings/{sitting}")
    await settle(releaser)
    await releaser.open("/notify/staff/mailings/")

    await correct(examiner, releaser, entries[0], words["waits"])
    letter = await candidate.open_letter(email, number=2)
    assert "Points were added twice" in letter
    for visitor, page in (
        (examiner, f"{STAFF}/candidates/{entries[0].entry_id}"),
        (examiner, f"{STAFF}/sittings/{sitting}"),
        (releaser, f"{STAFF}/sittings/{sitting}"),
        (candidate, "/scoring/digests/"),
    ):
        await visitor.open(page)
