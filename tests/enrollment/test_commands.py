"""What an operator sees of loading catalogues."""

from argparse import Namespace
from pathlib import Path

import pytest

from services.enrollment import commands
from services.enrollment.settings import Settings
from shared.db import Pool
from tests.enrollment.catalogues import SMALL, everything
from tests.site import SECRET

LOAD = commands.COMMANDS["catalogue"].run


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
            "EXAMHALL_PUBLIC_URL": "http://127.0.0.1/",
            "EXAMHALL_SECRET_KEY": SECRET,
            "documents_url": "file:///nowhere",
        }
    )


async def test_without_a_file_all_that_is_shipped_is_loaded(
    settings: Settings, empty: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await LOAD(settings, Namespace(file=[])) == 0
    shipped = await empty.fetch("SELECT code, source, digest FROM programmes ORDER BY code")
    assert [row["code"] for row in shipped] == ["cambridge-english", "hakka-115"]
    assert all(row["source"] == f"{row['code']}.toml" for row in shipped)
    assert all(row["digest"] for row in shipped)
    assert "hakka-115.toml: 24 added, 0 changed" in capsys.readouterr().out


async def test_what_is_prepared_for_a_newcomer_is_prepared_once(
    settings: Settings, empty: Pool
) -> None:
    await commands.prepare(settings)
    before = await everything(empty)
    await commands.prepare(settings)
    assert await everything(empty) == before


async def test_all_errors_of_all_files_are_told_and_nothing_is_loaded(
    settings: Settings, empty: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, worse = (tmp_path / f"{name}.toml" for name in ("good", "bad", "worse"))
    good.write_text(SMALL)
    bad.write_text(SMALL.replace('"atm"', '"gold"').replace("year = 2026\n", ""))
    line = bad.read_text().splitlines().index('methods = ["gold"]') + 1
    worse.write_bytes(b"\xff")
    missing = tmp_path / "missing.toml"
    assert await LOAD(settings, Namespace(file=[good, bad, worse, missing])) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in told] == [
        "bad.toml:1",
        f"bad.toml:{line}",
        f"{worse}:1",
        f"{missing}:1",
    ]
    assert await empty.fetchval("SELECT count(*) FROM programmes") == 0
