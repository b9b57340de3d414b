"""The runbooks name only what exists: figures, commands, processes, pages, tables."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from deploy.all_in_one import ENTRIES
from deploy.command.__main__ import _parser
from shared import metrics, run

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
RUNBOOKS = sorted(path for path in DOCS if path.parent.name == "runbooks")
COMPOSE = {
    "build",
    "config",
    "down",
    "exec",
    "logs",
    "ps",
    "restart",
    "rm",
    "run",
    "start",
    "stop",
    "up",
}
PARTS = ["## How you notice", "## What to do", "## How you know it is over"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def known_figures() -> set[str]:
    """Every name under which a figure is seen at /metrics."""
    known = set()
    for figure in vars(metrics).values():
        if isinstance(figure, MetricWrapperBase):
            [family] = figure.describe()
            endings = {"counter": ("_total",), "histogram": ("", "_bucket", "_sum", "_count")}
            known |= {family.name + end for end in endings.get(family.type, ("",))}
    return known


def known_secrets() -> set[str]:
    return set(re.findall(r"\b(examhall_[a-z_]+): \{file:", compose()))


def compose() -> str:
    return (ROOT / "docker-compose.yml").read_text()


def commands(path: Path) -> Iterator[list[str]]:
    """The commands in a page's code blocks, in words; what is fed to them is left out."""
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL):
        plain = re.sub(r"<<'SQL'.*?^ *SQL$", "", block, flags=re.DOTALL | re.MULTILINE)
        for line in plain.splitlines():
            for part in re.split(r"; |\| |\bdo ", line):
                if part.strip().startswith(("docker", "./examhall", "figures", "letters", "is_r")):
                    yield shlex.split(part, comments=True)


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_every_figure_named_exists(path: Path) -> None:
    named = set(re.findall(r"\bexamhall_[a-z_]+\b", path.read_text()))
    assert named <= known_figures() | known_secrets()


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_every_link_leads_to_a_file(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", [p for p in RUNBOOKS if p.stem != "README"], ids=name)
def test_a_runbook_says_how_you_notice_what_to_do_and_when_it_is_over(path: Path) -> None:
    headings = re.findall(r"^## .*$", path.read_text(), re.MULTILINE)
    assert headings == PARTS
    assert f"]({path.name})" in (path.parent / "README.md").read_text()


@pytest.mark.parametrize("path", RUNBOOKS, ids=name)
def test_every_command_exists(path: Path) -> None:
    for words in commands(path):
        check_command(words)


@pytest.mark.parametrize(
    "wrong",
    [
        "docker compose restart ledger-web",
        "docker compose exec -T broker true",
        "docker compose run --rm migrate deploy.accounting",
        "figures notify-worker made_up",
        "letters notify burn",
        "./examhall dance",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(wrong: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```sh\n{wrong}\n```")
    [words] = commands(page)
    with pytest.raises((AssertionError, SystemExit)):
        check_command(words)


def check_command(words: list[str]) -> None:
    services = set(re.findall(r"^  ([a-z-]+):$", compose(), re.MULTILINE))
    match words:
        case ["docker", "compose", *rest]:
            check_compose(rest, services)
        case ["figures", process, beginning]:
            assert process.replace("$service", "notify") in services
            assert any(figure.startswith(f"examhall_{beginning}") for figure in known_figures())
        case ["letters", service, *rest]:
            [entry] = [entry for entry in ENTRIES if entry.name == service]
            run._parser(entry).parse_args(["dead-letters", *rest])
        case ["is_ready", process]:
            assert process.replace("$service", "notify") in services
        case ["./examhall", *rest]:
            _parser().parse_args(rest)


def check_compose(words: list[str], services: set[str]) -> None:
    """A process that is named exists, and so does a module that is run in it."""
    assert words[0] in COMPOSE
    named = [word for word in words if re.fullmatch(r"[a-z]+-(web|worker)", word)]
    assert set(named) <= services
    if words[0] in {"exec", "run"}:
        process = next(word for word in words[1:] if not word.startswith("-"))
        assert process in services
    for module in (word for word in words if re.fullmatch(r"(deploy|services)\.[a-z_.]+", word)):
        assert find_spec(module), module
        assert f"!{module.partition('.')[0]}" in (ROOT / ".dockerignore").read_text()


def test_the_words_of_the_runbooks_are_a_shell_script() -> None:
    words = ROOT / "docs" / "runbooks" / "words.sh"
    subprocess.run(["sh", "-n", words], check=True)
    defined = set(re.findall(r"^([a-z_]+)\(\)", words.read_text(), re.MULTILINE))
    assert defined == {"figures", "sql", "letters", "is_ready"}
    assert re.search(f'SERVICES="{" ".join(entry.name for entry in ENTRIES)}"', words.read_text())


def test_every_table_named_in_a_statement_exists() -> None:
    migrations = "".join(
        path.read_text()
        for folder in ("shared", "services")
        for path in (ROOT / folder).rglob("migrations/*.sql")
    )
    made = set(re.findall(r"CREATE TABLE (\w+)", migrations)) | {"migrations"}
    for path in RUNBOOKS:
        text = path.read_text()
        for table in re.findall(r"\b(?:FROM|UPDATE|JOIN) ([a-z_]+)\b", text):
            assert table in made or table.startswith("pg_"), f"{name(path)}: {table}"
