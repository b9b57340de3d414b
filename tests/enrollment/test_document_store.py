"""Where files are kept: in a folder, in a bucket, and what is said when neither can be reached."""

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from services.enrollment.document_store import DocumentStore, StoreAway
from services.enrollment.settings import Settings
from shared.errors import NoSuchPage
from tests.site import SECRET

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def make_settings(url: str, **more: object) -> Settings:
    return Settings.model_validate(
        {
            "database_url": "postgresql://localhost/none",
            "EXAMHALL_AMQP_URL": "amqp://localhost/",
            "EXAMHALL_PUBLIC_URL": "http://localhost",
            "EXAMHALL_SECRET_KEY": SECRET,
            "documents_url": url,
            **more,
        }
    )


class Bucket:
    """Somebody else's storage, in the words of S3: objects are put, got and deleted in bulk."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.signed: list[str] = []
        self.is_away = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{key:.+}", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.Response:
        self.signed.append(request.headers.get("Authorization", ""))
        key = request.match_info["key"]
        if self.is_away:
            return web.Response(status=503)
        match request.method:
            case "PUT":
                self.objects[key] = await request.read()
                return web.Response(headers={"ETag": '"1"'})
            case "GET" if key in self.objects:
                headers = {"ETag": '"1"', "Last-Modified": "Fri, 01 May 2026 00:00:00 GMT"}
                return web.Response(body=self.objects[key], headers=headers)
            case "POST" if "delete" in request.query:
                found = re.findall(r"<Key>(.+?)</Key>", await request.text())
                for name in found:
                    self.objects.pop(f"{key.strip('/')}/{name}", None)
                gone = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in found)
                return web.Response(
                    text=f'<DeleteResult xmlns="{NAMESPACE}">{gone}</DeleteResult>',
                    content_type="application/xml",
                )
        return web.Response(status=404)


@pytest.fixture
async def bucket() -> AsyncIterator[tuple[Bucket, DocumentStore]]:
    bucket = Bucket()
    async with TestServer(bucket.app()) as server:
        settings = make_settings(
            "s3://exam/documents",
            documents_endpoint=str(server.make_url("/")),
            documents_key_id="AKID",
            documents_key_secret="not told to anybody",
        )
        yield bucket, DocumentStore(settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "somewhere" / "documents"


@pytest.fixture
def store(folder: Path) -> DocumentStore:
    return DocumentStore(make_settings(folder.as_uri()))


async def passes_the_suite(store: DocumentStore) -> None:
    """What every place for files has to do."""
    one, other = uuid4(), uuid4()
    await store.put(one, b"one")
    await store.put(other, b"other")
    assert await store.get(one) == b"one"
    await store.put(one, b"one again")
    assert await store.get(one) == b"one again"
    await store.remove(one)
    await store.remove(one)  # a job that was killed does it again
    with pytest.raises(NoSuchPage):
        await store.get(one)
    assert await store.get(other) == b"other"


async def test_a_folder_keeps_files(store: DocumentStore) -> None:
    await passes_the_suite(store)


async def test_a_bucket_keeps_files(bucket: tuple[Bucket, DocumentStore]) -> None:
    kept, store = bucket
    await passes_the_suite(store)
    [key] = kept.objects
    assert key.startswith("exam/documents/")
    assert all("AKID" in line for line in kept.signed)


def test_a_folder_is_nobody_elses(store: DocumentStore, folder: Path) -> None:
    asyncio.run(store.put(uuid4(), b"x"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_is_named_by_nobody_but_us(store: DocumentStore, folder: Path) -> None:
    asyncio.run(store.put(UUID("01234567-89ab-7def-8123-456789abcdef"), b"x"))
    [file] = [path for path in folder.rglob("*") if path.is_file()]
    assert file.relative_to(folder).as_posix() == "01/0123456789ab7def8123456789abcdef.jpg"


async def test_what_stands_in_the_way_of_a_folder_is_a_clear_no(
    store: DocumentStore, folder: Path
) -> None:
    document = uuid4()
    await store.put(document, b"x")
    new = UUID(int=document.int ^ (1 << 127))
    (folder / new.hex[:2]).write_text("no folder")
    with pytest.raises(StoreAway):
        await store.put(new, b"x")
    assert await store.get(document) == b"x", "nothing was lost"


async def test_a_bucket_that_does_not_answer_is_a_clear_no(
    bucket: tuple[Bucket, DocumentStore],
) -> None:
    kept, store = bucket
    document = uuid4()
    await store.put(document, b"x")
    kept.is_away = True
    with pytest.raises(StoreAway):
        await store.put(uuid4(), b"x")
    with pytest.raises(StoreAway):
        await store.get(document)
    with pytest.raises(StoreAway):
        await store.remove(document)
    kept.is_away = False
    assert await store.get(document) == b"x"


async def test_a_picture_is_answered_as_a_picture_and_nothing_else(store: DocumentStore) -> None:
    document = uuid4()
    await store.put(document, b"<script>")
    answer = await store.answer(document, name="R-1000-017-photo")
    assert answer.content_type == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="R-1000-017-photo.jpg"'


@pytest.mark.parametrize(
    "url", ["http://x/y", "file://host/x", "file:///", "/var/documents", "memory:///"]
)
def test_a_place_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        make_settings(url)


def test_the_key_of_a_bucket_is_not_shown() -> None:
    settings = make_settings("s3://exam", documents_key_secret="not told to anybody")
    assert "not told" not in repr(settings)
