"""Assets keep their names for ever, and nothing else is served."""

import gzip
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from shared.static import StaticFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "examhall.css").write_text("body { color: #123 }")
    (folder / "examhall.js").write_text("let here;")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not for you")
    return folder


async def serve(static: StaticFiles) -> TestClient[web.Request, web.Application]:
    app = web.Application()
    app.add_routes(static.routes())
    return TestClient(TestServer(app), auto_decompress=False)


def test_a_name_follows_the_content(folder: Path) -> None:
    before = StaticFiles.load(folder).url("examhall.css")
    (folder / "examhall.css").write_text("body { color: #456 }")
    assert StaticFiles.load(folder).url("examhall.css") != before
    assert before.startswith("/static/examhall-")


async def test_an_asset_may_be_kept_for_a_year(folder: Path) -> None:
    static = StaticFiles.load(folder)
    async with await serve(static) as client:
        for name, kind in [
            ("examhall.css", "text/css; charset=utf-8"),
            ("examhall.js", "text/javascript; charset=utf-8"),
            ("favicon.svg", "image/svg+xml; charset=utf-8"),
        ]:
            answer = await client.get(static.url(name), headers={"Accept-Encoding": ""})
            assert answer.status == 200
            assert answer.headers["Content-Type"] == kind
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert await answer.read() == (folder / name).read_bytes()


async def test_a_browser_that_reads_gzip_gets_gzip(folder: Path) -> None:
    static = StaticFiles.load(folder)
    async with await serve(static) as client:
        answer = await client.get(
            static.url("examhall.css"), headers={"Accept-Encoding": "br, gzip"}
        )
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(await answer.read()) == (folder / "examhall.css").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/static/examhall.css",
        "/static/examhall-000000000000.css",
        "/static/..%2Fsecret.txt",
        "/static/../secret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/",
    ],
)
async def test_anything_else_is_not_found(folder: Path, path: str) -> None:
    async with await serve(StaticFiles.load(folder)) as client:
        answer = await client.get(URL(path, encoded=True))
        assert answer.status == 404


def test_missing_assets_say_how_to_build_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="npm run build"):
        StaticFiles.load(tmp_path / "dist")
