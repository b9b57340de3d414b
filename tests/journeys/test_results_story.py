"""The whole story of a result: from the centre's list to whoever looked at it."""

import csv
import io
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
import zxingcpp
from PIL import Image

from services.scoring.rules import seals
from shared import csv_file, db
from shared.db import Pool
from tests.enrollment.centres import LIN, WANG, read_pdf, write
from tests.eventually import eventually
from tests.journeys.conftest import Arrive, Place
from tests.journeys.test_centre import (
    enter_office,
    hand_in,
    let_in,
    make_centre,
    open_sitting,
    press,
    print_pdf,
)
from tests.journeys.test_results_portal import log_in, new_address, register
from tests.journeys.test_results_staff import STAFF, click
from tests.journeys.test_staff import sign_in_as
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

ID_AND_SECRET = re.compile(r"^\s*([A-Z0-9]{9})\s+(\d{4})\s*$", re.MULTILINE)
WORDS = {
    "en": {
        "not yet": "This result is not out yet",
        "letter": "The results of your exam were released",
        "valid": "This statement is valid",
        "statement": "Statement of Results",
    },
    "zh-Hant-TW": {
        "not yet": "這項成績尚未公布",
        "letter": "您參加的考試已公布成績",
        "valid": "這份成績單有效",
        "statement": "成績單",
    },
}


@dataclass(frozen=True)
class Exam:
    """A sitting that no other story is about, what is imported for it, and what comes of that."""

    sitting: str
    centre: str
    scores: tuple[str, ...]
    result: str
    papers: tuple[str, ...]


FIRST = Exam(
    "b2-first-2026-12",
    "TW111",
    ("Pass at Grade C", "163", "171", "158", "160", "164", "162"),
    "C 級通過",
    ("英語運用", "158", "163"),
)
KEY = Exam(
    "a2-key-2026-11",
    "TW112",
    ("Pass with Merit", "135", "141", "129", "133", "137"),
    "Pass with Merit",
    ("Listening", "133", "135"),
)
DELTA = Exam("delta-module-one-2026-12", "TW113", ("merit",), "良好通過", ("本考試不提供分項成績",))


@dataclass(frozen=True)
class Numbers:
    """What stands on a Confirmation of Entry."""

    id_number: str
    secret: str


async def enter(arrive: Arrive, place: Place, exam: Exam, language: str, script: bool) -> Numbers:
    """A registrar makes a centre, which imports its list; read what it prints for a candidate."""
    account = await place.add_staff("centre")
    registrar, staff = [await arrive(language, script=script) for _ in range(2)]
    await sign_in_as(registrar, place, "registrar")
    await make_centre(registrar, exam.centre, account[0])
    async with database(place, "enrollment") as pool:
        await let_in(pool, exam.sitting)
        await enter_office(staff, pool, account, exam.centre)
    await open_sitting(staff, exam.sitting)
    await hand_in(staff, exam.centre, write(WANG, LIN), sitting=exam.sitting)
    await press(staff, "/imports")
    async with staff.page.expect_navigation():
        await staff.page.click("main a[href*='/entries/']")
    await staff.look()
    printed = await print_pdf(staff, "/confirmation.pdf")
    assert WANG[1] in printed
    found = ID_AND_SECRET.search(printed)
    assert found, printed
    return Numbers(found[1], found[2])


@asynccontextmanager
async def database(place: Place, service: str) -> AsyncIterator[Pool]:
    url = place.environment[f"{service.upper()}_DATABASE_URL"]
    pool = await db.create_pool(url, application="journeys")
    yield pool
    await pool.close()


async def open_account(candidate: Visitor, place: Place, numbers: Numbers, address: str) -> None:
    """Register in the results portal once word of the entry has come, and find no result there."""
    async with database(place, "identity") as pool:

        async def is_known() -> bool:
            query = "SELECT count(*) FROM known_entries WHERE id_number = $1"
            return bool(await pool.fetchval(query, numbers.id_number))

        await eventually(is_known)
    await register(candidate, numbers.id_number, address, secret=numbers.secret)
    await log_in(candidate, numbers.id_number)
    assert candidate.path == "/scoring/"

    async def awaits_a_result() -> bool:
        await candidate.page.reload()
        return WORDS[candidate.language]["not yet"] in await candidate.text()

    await eventually(awaits_a_result, every=0.2)
    await candidate.look()
    assert await candidate.page.locator("main a[href^='/scoring/results/']").count() == 0


async def score(examiner: Visitor, exam: Exam, numbers: Numbers) -> None:
    """Fill in the table of the sitting: one has scores, and the other was absent. And compute."""
    await examiner.open(f"{STAFF}/marks/{exam.sitting}")
    link = await examiner.page.get_attribute("main a[href$='/templates/csv']", "href")
    answer = await examiner.page.request.get(f"{examiner.url}{link}")
    header, *rows = csv.reader(io.StringIO((await answer.body()).decode("utf-8-sig")))
    assert len(rows) == 2
    nothing = [""] * len(exam.scores)
    filled_in = [
        [*row[:3], *exam.scores, ""] if row[0] == numbers.id_number else [*row[:3], *nothing, "yes"]
        for row in rows
    ]
    content = csv_file.write(header, filled_in)
    file = {"name": "scores.csv", "mimeType": "text/csv", "buffer": content}
    await examiner.page.set_input_files("#file", file)  # type: ignore[arg-type]
    await click(examiner, "form[action$='/files'] button")
    await click(examiner, "form[action$='/import'] button")
    await examiner.open(f"{STAFF}/results/{exam.sitting}")
    await click(examiner, "form[action$='/computation'] button")
    await until_there(examiner, f"main td:has-text('{exam.result}')")


async def until_there(visitor: Visitor, what: str) -> None:
    """Look again until it is on the page: what is worked out for thousands takes its time."""

    async def is_there() -> bool:
        await visitor.page.reload()
        return bool(await visitor.page.locator(what).count())

    await eventually(is_there, every=0.2)
    await visitor.look()


async def release(releaser: Visitor, exam: Exam) -> None:
    await releaser.open(f"{STAFF}/results/{exam.sitting}")
    await click(releaser, "form[action$='/approval'] button")
    await releaser.open(f"{STAFF}/release/{exam.sitting}")
    await until_there(releaser, "form[action$='/now'] button")
    await click(releaser, "form[action$='/now'] button")


async def take_statement(candidate: Visitor, exam: Exam, numbers: Numbers) -> str:
    """Read the page of the result and its paper; say where the code on that leads."""
    shown = await candidate.text()
    address = await candidate.page.get_attribute("main a[href$='/statement.pdf']", "href")
    answer = await candidate.page.request.get(
        f"{candidate.url}{address}", headers={"Accept-Language": candidate.language}
    )
    document = await answer.body()
    printed = read_pdf(document)
    for words in (WANG[1], exam.result, *exam.papers):
        assert words in shown, words
        assert words in printed, words
    assert numbers.id_number in printed
    assert WORDS[candidate.language]["statement"] in printed
    assert numbers.secret not in printed
    address = scan(document)
    assert address == f"{candidate.url}{seals.PATH}{seals.find_in_pdf(document)}"
    return address


def scan(document: bytes) -> str:
    """Read the code on the paper with a camera, so to speak."""
    words = ["pdftoppm", "-r", "200", "-png", "-singlefile", "-"]
    printed = subprocess.run(words, input=document, capture_output=True, check=True).stdout
    [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(printed)))
    return code.text


async def share(candidate: Visitor, result: str) -> str:
    await candidate.open(f"{result}/shares")
    await candidate.fill(label="NTU")
    await candidate.press()
    return await candidate.page.inner_text(".eh-key")


async def be_recognised(office: Visitor, administrator: Visitor, place: Place, name: str) -> None:
    """An organisation applies, an administrator approves, and it accepts the terms."""
    email, password = await place.add_candidate()
    await office.sign_in(email, password, next_page="/scoring/verification/")
    await office.fill(name=name, website="https://www.nhu.example", purpose="Admission")
    await office.press()
    await sign_in_as(administrator, place, "administrator")
    await administrator.open("/scoring/staff/organisations/")
    await administrator.follow(name)
    await administrator.page.check("[name=decision][value=approve]")
    await administrator.fill(reason="Telephoned")
    await administrator.press()
    letter = await office.open_letter(email)
    assert name in letter
    assert "Telephoned" in letter
    await office.open("/scoring/verification/")
    await office.page.check("[name=accepted]")
    await office.press()


@pytest.mark.parametrize(
    ("language", "script", "exam"),
    [("zh-Hant-TW", True, FIRST), ("en", True, KEY), ("zh-Hant-TW", False, DELTA)],
    ids=["zh", "en", "no script"],
)
async def test_from_the_list_of_a_centre_to_whoever_looked(
    arrive: Arrive, place: Place, language: str, exam: Exam, *, script: bool
) -> None:
    words, address, name = WORDS[language], new_address(), f"University {uuid4().hex[:8]}"
    numbers = await enter(arrive, place, exam, language, script)
    candidate, examiner, releaser, school, office, administrator = [
        await arrive(language, script=script) for _ in range(6)
    ]
    await open_account(candidate, place, numbers, address)

    await sign_in_as(examiner, place, "examiner")
    await score(examiner, exam, numbers)
    await sign_in_as(releaser, place, "releaser")
    await release(releaser, exam)

    assert words["letter"] in await candidate.open_letter(address)
    async with candidate.page.expect_navigation():
        await candidate.page.click("main a[href*='/scoring/']")
    await candidate.look()
    assert candidate.path == "/scoring/"
    assert await candidate.page.locator("main a[href^='/scoring/results/']").count() == 1
    await candidate.sign_out()
    await log_in(candidate, numbers.id_number)
    async with candidate.page.expect_navigation():
        await candidate.page.click("main a[href^='/scoring/results/']")
    await candidate.look()
    result = candidate.path
    check = await take_statement(candidate, exam, numbers)

    await school.open(check)
    assert words["valid"] in await school.text()
    assert numbers.id_number not in await school.text(), "masked"
    await school.open(await share(candidate, result))
    await school.fill(name="Admissions office")
    await school.press()
    assert exam.result in await school.text()

    await be_recognised(office, administrator, place, name)
    await office.fill(id_number=numbers.id_number, secret_number=numbers.secret)
    await office.press()
    assert exam.result in await office.text()

    await candidate.open(f"{result}/shares")
    for who in ("Admissions office", name):
        assert who in await candidate.text()
