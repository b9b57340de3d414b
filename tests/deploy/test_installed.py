"""Finding servers on the machine, and saying what to type where there are none."""

from pathlib import Path

import pytest

from deploy.one_machine import installed, packages
from deploy.one_machine.problems import Problem


def _postgres(folder: Path, version: str) -> Path:
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (programs / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (programs / name).chmod(0o755)
    return programs


def _rabbitmq(folder: Path, version: str) -> Path:
    programs = folder / "sbin"
    programs.mkdir(parents=True)
    (programs / "rabbitmq-server").touch(mode=0o755)
    (folder / "plugins" / f"rabbit-{version}").mkdir(parents=True)
    return programs


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing but what the test puts below its folder."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr(installed, "_POSTGRES_FOLDERS", (f"{tmp_path}/postgresql/*/bin",))
    monkeypatch.setattr(installed, "_RABBITMQ_FOLDERS", (f"{tmp_path}/rabbitmq*/sbin",))


def test_the_newest_postgres_is_preferred(tmp_path: Path) -> None:
    _postgres(tmp_path / "postgresql" / "9.6", "9.6.24")
    _postgres(tmp_path / "postgresql" / "15", "15.8 (Debian 15.8-0+deb12u1)")
    newest = _postgres(tmp_path / "postgresql" / "17", "17.5")
    assert installed.find_postgres() == installed.InstalledPostgres(17, newest)


def test_data_of_an_older_version_get_that_version(tmp_path: Path) -> None:
    older = _postgres(tmp_path / "postgresql" / "15", "15.8")
    _postgres(tmp_path / "postgresql" / "17", "17.5")
    assert installed.find_postgres(15) == installed.InstalledPostgres(15, older)
    assert installed.find_postgres(16) is None


def test_too_old_servers_do_not_count(tmp_path: Path) -> None:
    _postgres(tmp_path / "postgresql" / "14", "14.12")
    _rabbitmq(tmp_path / "rabbitmq", "3.9.13")
    assert installed.find_postgres() is None
    assert installed.find_rabbitmq() is None
    assert packages.missing_servers() == [packages.POSTGRES, packages.RABBITMQ]


def test_rabbitmq_versions_compare_as_numbers(tmp_path: Path) -> None:
    newer = _rabbitmq(tmp_path / "rabbitmq-a", "3.10.8")
    _rabbitmq(tmp_path / "rabbitmq-b", "3.9.9")
    assert installed.find_rabbitmq() == installed.InstalledRabbitMQ((3, 10, 8), newer)


def test_without_root_the_exact_commands_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name: name if name == "apt-get" else None)
    with pytest.raises(Problem) as told:
        packages.install(packages.missing_servers(), log=tmp_path / "log", then="up")
    assert (
        "su -c 'apt-get install --no-install-recommends postgresql rabbitmq-server'\n    ./examhall"
        in str(told.value)
    )


def test_documents_need_their_font_and_tests_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "FONTS", tmp_path)
    assert packages.missing_to_run()[-1] == packages.CHINESE_FONT
    (tmp_path / "NotoSansCJK-Regular.ttc").touch()
    assert packages.CHINESE_FONT not in packages.missing_to_run()
    assert packages.missing_to_test(with_browser=False) == [packages.POPPLER]
    assert packages.missing_to_test(with_browser=True) == [packages.POPPLER, packages.CHROMIUM]


def test_nothing_missing_means_nothing_done(tmp_path: Path) -> None:
    packages.install([], log=tmp_path / "log", then="up")
    assert not (tmp_path / "log").exists()
