"""Documents: uploaded, shown to their owner, replaced, and tidied away when nobody needs them."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from aiohttp import FormData

from services.enrollment import documents
from services.enrollment.documents import list_wanted
from services.enrollment.programmes import Programme
from services.enrollment.schedule import LONGEST_UPLOAD, jobs
from services.enrollment.settings import Settings
from shared.db import transaction
from shared.pictures import Picture
from tests.enrollment.candidates import Candidate, arrive
from tests.enrollment.pictures import draw, open_, pad
from tests.site import Site


@pytest.fixture
async def candidate(hall: Site) -> Candidate:
    candidate = await arrive(hall)
    await candidate.agree()
    return candidate


def folder_of(candidate: Candidate) -> Path:
    settings = candidate.site.settings["enrollment"]
    assert isinstance(settings, Settings)
    return Path(unquote(urlsplit(str(settings.documents_url)).path))


def files_of(candidate: Candidate) -> list[Path]:
    return sorted(path for path in folder_of(candidate).rglob("*") if path.is_file())


async def tidy(candidate: Candidate, *, after: timedelta = timedelta(0)) -> int:
    settings = candidate.site.settings["enrollment"]
    assert isinstance(settings, Settings)
    [job] = [job for job in jobs(settings) if job.name == "remove_files"]
    return await job.work(candidate.pool, datetime.now(UTC) + after)


async def states(candidate: Candidate) -> list[str]:
    rows = await candidate.pool.fetch("SELECT state FROM documents ORDER BY arrived_at, id")
    return [row["state"] for row in rows]


async def test_a_picture_is_kept_and_shown(candidate: Candidate) -> None:
    answer = await candidate.upload("photo")
    assert answer.status == 303
    assert answer.headers["Location"] == candidate.document("photo")
    page = await candidate.read(candidate.document("photo"))
    assert f"{candidate.document('photo')}/picture?" in page
    picture = await candidate.get(f"{candidate.document('photo')}/picture")
    assert picture.status == 200
    assert picture.content_type == "image/jpeg"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Cache-Control"] == "no-store"
    assert picture.headers["Content-Disposition"].startswith("attachment; ")
    assert open_(await picture.read()).size == (480, 640)


async def test_nobody_else_sees_it(candidate: Candidate, hall: Site) -> None:
    await candidate.upload("photo")
    stranger = await arrive(hall)
    for page in (candidate.document("photo"), f"{candidate.document('photo')}/picture"):
        assert (await stranger.get(page)).status == 404
        anonymous = await hall.client.get(page, allow_redirects=False)
        assert anonymous.status == 303
        assert anonymous.headers["Location"].startswith("/identity/sign-in?")
    assert (await stranger.post(candidate.document("photo"), FormData())).status == 404


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"GIF89a" + b"\x00" * 30_000, 415, "neither a JPEG nor a PNG picture"),
        (pad(draw(), "JPEG", 3 * 1024 * 1024), 413, "larger than 3 MB"),
        (draw()[:2] + b"\xff\xdb" + b"\x00" * 100, 422, "smaller than 25 KB"),
        (draw(width=1600, height=1600)[:-9_000], 422, "This picture is broken"),
        (draw() + b"<script>alert(1)</script>", 422, "something else inside this picture"),
    ],
    ids=["wrong type", "too large", "too small", "broken", "polyglot"],
)
async def test_what_cannot_be_used_is_refused_and_what_was_there_stays(
    candidate: Candidate, content: bytes, status: int, sentence: str
) -> None:
    await candidate.upload("photo")
    [before] = files_of(candidate)
    refused = await candidate.upload("photo", content)
    assert refused.status == status
    page = await refused.text()
    assert "There is a problem" in page
    assert sentence in page
    assert page.count(sentence) == 2, "in the summary and at the field"
    assert files_of(candidate) == [before]
    assert await states(candidate) == ["kept"]


async def test_a_body_beyond_all_measure_is_not_even_read(candidate: Candidate) -> None:
    refused = await candidate.upload("photo", b"\xff\xd8\xff" + b"\x00" * 5_000_000)
    assert refused.status == 413
    assert "larger than 3 MB" in await refused.text()


async def test_no_file_is_a_mistake_too(candidate: Candidate) -> None:
    empty = FormData()
    empty.add_field("picture", b"", filename="", content_type="application/octet-stream")
    for form in (empty, {"picture": "no file"}, {}):
        refused = await candidate.post(candidate.document("photo"), form)
        assert refused.status == 422
        assert "Choose a picture to upload" in await refused.text()


async def test_the_name_and_type_that_a_browser_says_mean_nothing(candidate: Candidate) -> None:
    form = FormData()
    form.add_field(
        "picture", draw("PNG"), filename="../../etc/passwd.html", content_type="text/html"
    )
    assert (await candidate.post(candidate.document("photo"), form)).status == 303
    [file] = files_of(candidate)
    assert file.suffix == ".jpg"
    assert file.read_bytes().startswith(b"\xff\xd8\xff")


async def test_a_picture_is_replaced_until_it_is_sent(candidate: Candidate) -> None:
    await candidate.complete()
    await candidate.upload("photo", draw(width=300, height=400))
    picture = await candidate.get(f"{candidate.document('photo')}/picture")
    assert open_(await picture.read()).size == (300, 400)
    assert sorted(await states(candidate)) == ["dropped", "kept", "kept"]
    await candidate.send()
    refused = await candidate.upload("photo")
    assert refused.status == 409
    assert 'type="file"' not in await candidate.read(candidate.document("photo"))
    assert open_(
        await (await candidate.get(f"{candidate.document('photo')}/picture")).read()
    ).size == (300, 400)


async def test_a_document_that_is_not_asked_for_has_no_page(candidate: Candidate) -> None:
    for name in ("special_needs", "diary"):
        assert (await candidate.get(candidate.document(name))).status == 404
        assert (await candidate.upload(name)).status == 404


async def test_nothing_is_uploaded_before_the_texts_are_agreed_to(hall: Site) -> None:
    candidate = await arrive(hall)
    sent_away = await candidate.upload("photo")
    assert sent_away.headers["Location"] == f"{candidate.home}/consents"
    assert await states(candidate) == []


async def test_a_full_disk_is_said_clearly_and_loses_nothing(candidate: Candidate) -> None:
    await candidate.upload("photo")
    [kept] = files_of(candidate)
    folder = folder_of(candidate)
    away = folder.with_name(f"{folder.name}-away")
    folder.rename(away)
    folder.write_text("in the way")
    try:
        refused = await candidate.upload("photo")
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "Nothing was lost" in await refused.text()
    finally:
        folder.unlink()
        away.rename(folder)
    picture = await candidate.get(f"{candidate.document('photo')}/picture")
    assert await picture.read() == kept.read_bytes()
    assert (await candidate.upload("photo")).status == 303, "and it works again"


async def test_a_picture_that_arrives_after_the_end_is_not_kept(candidate: Candidate) -> None:
    await candidate.be("drafting", submit_by=datetime.now(UTC) - timedelta(seconds=1))
    assert (await candidate.upload("photo")).status == 410
    assert await states(candidate) == []


async def test_files_that_nobody_needs_are_removed(candidate: Candidate) -> None:
    for width in (300, 400, 500):
        await candidate.upload("photo", draw(width=width, height=400))
    assert len(files_of(candidate)) == 3
    assert await tidy(candidate) == 2
    assert await tidy(candidate) == 0
    assert len(files_of(candidate)) == 1
    assert await states(candidate) == ["kept"]
    assert (await candidate.get(f"{candidate.document('photo')}/picture")).status == 200


async def test_an_upload_that_was_cut_short_leaves_nothing_behind(candidate: Candidate) -> None:
    # The process died between the announcement and the word that it counts.
    settings = candidate.site.settings["enrollment"]
    assert isinstance(settings, Settings)
    async with transaction(candidate.pool) as tx:
        lost = await documents.announce(
            tx,
            registration_id=candidate.claimed.id,
            document="photo",
            picture=Picture(b"x", 1, 1),
            now=datetime.now(UTC),
        )
    file = folder_of(candidate) / lost.hex[:2] / f"{lost.hex}.jpg"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    assert await tidy(candidate) == 0, "it may still be on its way"
    assert await tidy(candidate, after=LONGEST_UPLOAD + timedelta(minutes=1)) == 1
    assert files_of(candidate) == []
    assert await states(candidate) == []
    with pytest.raises(documents.NoSuchDocument):
        async with transaction(candidate.pool) as tx:
            await documents.keep(tx, document_id=lost)


async def test_a_file_that_cannot_be_removed_is_tried_again(candidate: Candidate) -> None:
    for _ in range(3):
        await candidate.upload("photo")
    dropped = await candidate.pool.fetchval(
        "SELECT id FROM documents WHERE state = 'dropped' ORDER BY arrived_at LIMIT 1"
    )
    [old] = [file for file in files_of(candidate) if file.stem == dropped.hex]
    old.unlink()
    old.mkdir()
    (old / "in the way").touch()
    assert await tidy(candidate) == 1, "the other one is removed all the same"
    assert sorted(await states(candidate)) == ["dropped", "kept"]
    (old / "in the way").unlink()
    old.rmdir()
    assert await tidy(candidate) == 1
    assert await states(candidate) == ["kept"]


NAMED: dict[str, Any] = {"titles": {}, "hints": {}}
PROGRAMME = Programme(
    code="test",
    titles={},
    zone=ZoneInfo("Asia/Taipei"),
    year=2026,
    publish_time=time(9),
    entry="candidate",
    fee_rule="flat",
    fee_twd=0,
    fee_free_to_birthday=None,
    areas=[],
    dialects=[],
    form={},
    documents=[
        {"code": "photo", "when": "always", "not_from_age": None, **NAMED},
        {"code": "special_needs", "when": "special_needs", "not_from_age": 70, **NAMED},
    ],
    consents=[],
)


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ({}, ["photo"]),
        ({"special_needs": "no"}, ["photo"]),
        ({"special_needs": "yes"}, ["photo", "special_needs"]),
        ({"special_needs": "yes", "birth_date": "1956-12-20"}, ["photo", "special_needs"]),
        ({"special_needs": "yes", "birth_date": "1956-12-19"}, ["photo"]),
        ({"special_needs": "yes", "birth_date": "1930-01-01"}, ["photo"]),
    ],
)
def test_papers_are_asked_for_where_they_are_needed(
    answers: dict[str, str], wanted: list[str]
) -> None:
    found = list_wanted(PROGRAMME, answers=answers, exam_date=date(2026, 12, 19))
    assert [one.code for one in found] == wanted


async def test_papers_that_are_not_asked_for_any_more_do_not_go_along(
    candidate: Candidate,
) -> None:
    await candidate.complete(exam={"special_needs": "yes"})
    assert (await candidate.upload("special_needs")).status == 303
    await candidate.fill("exam", special_needs="no")
    assert (await candidate.send()).status == 303
    rows = await candidate.pool.fetch("SELECT document, state FROM documents")
    assert {row["document"]: row["state"] for row in rows} == {
        "photo": "kept",
        "id_front": "kept",
        "special_needs": "dropped",
    }
