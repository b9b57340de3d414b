"""The words after ./examhall."""

import subprocess
from pathlib import Path

import pytest

from deploy.command import checks
from deploy.command.__main__ import main

SCRIPT = Path(__file__).resolve().parents[2] / "examhall"
COMMANDS = (
    "up down status logs reset test check bench chaos dead-letters staff catalogue migrate audit"
    " web worker"
)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["frobnicate"],
        ["up", "--hard"],
        ["logs", "nothing"],
        ["web"],
        ["worker", "nobody"],
        ["chaos", "--minutes", "many"],
        ["dead-letters", "burn"],
        ["staff", "remove"],
        ["catalogue", "burn"],
        ["audit"],
    ],
)
def test_a_wrong_call_gets_a_usage_line_and_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: ./examhall")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(f"    {command}" in told for command in COMMANDS.split())


def test_what_follows_test_is_for_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def listen(asked: object) -> int:
        heard.extend(asked.more)  # type: ignore[attr-defined]
        return 0

    monkeypatch.setattr(checks, "test", listen)
    assert main(["test", "tests/shared", "-k", "outbox", "-x"]) == 0
    assert heard == ["tests/shared", "-k", "outbox", "-x"]


def test_the_script_works_through_a_link_and_from_elsewhere(tmp_path: Path) -> None:
    link = tmp_path / "hall"
    link.symlink_to(SCRIPT)
    told = subprocess.run(
        [link, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "usage: ./examhall" in told.stdout


def test_the_summary_is_a_failure_when_a_step_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "show", lambda words, **_: int(words[0].name == "ruff"))
    assert checks.check(None) == 1  # type: ignore[arg-type]
    told = capsys.readouterr().out
    assert "lint       failed" in told
    assert "types      ok" in told
