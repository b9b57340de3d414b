"""The house style, checked; and each check, seen to fail on what it is there for."""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.all_in_one import ENTRIES
from shared.events import Event, all_events
from shared.worker import SHARED_HANDLERS
from tests import house_style as style

ROOT = Path(__file__).parents[1]


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


PRODUCT = python_files("services", "shared")
ALL = [*PRODUCT, *python_files("deploy", "tests")]
# Where the world comes in with a time of its own: requests; and commands.
CLOCKS = {"shared/observe.py"}
# Beside the edges: where messages, batches and migrations begin, and where the word is defined.
TRANSACTIONS = {
    "shared/db.py",
    "shared/group_commit.py",
    "shared/inbox.py",
    "shared/migrate.py",
    "shared/outbox.py",  # the relay's
    "shared/staff_page.py",
    "shared/worker.py",
}


# On connections that are reset before they are used for something else, or are nobody else's.
LASTING = {"shared/jobs.py", "shared/migrate.py"}


@pytest.mark.parametrize("path", ALL, ids=name)
def test_a_file_fits_in_the_head_and_says_what_it_is(path: Path) -> None:
    source = path.read_text()
    found = [*style.find_long_parts(source), *style.find_vagueness(path.stem, source)]
    assert found == []


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_a_module_keeps_to_its_place(path: Path) -> None:
    source = path.read_text()
    assert [*style.find_registering_decorators(source)] == []
    assert [*style.find_network_in_transactions(source)] == []
    if path.stem != "settings":
        assert [*style.find_environment_reading(source)] == []
    if name(path) not in CLOCKS and path.stem != "commands":
        assert [*style.find_clock_reading(source)] == []
    if name(path) not in TRANSACTIONS and style.edge_of(path) not in style.EDGES:
        assert [*style.find_transactions(source)] == []
    if name(path) not in LASTING:
        assert [*style.find_lasting_settings(source)] == []
    if path.is_relative_to(ROOT / "services") and (path.stem in style.TABLES or "ROUTES" in source):
        assert [*style.find_unfinished_edges(style.edge_of(path), source)] == []


@pytest.mark.parametrize("folder", ["shared", *(entry.name for entry in ENTRIES)])
def test_a_table_is_written_by_one_module(folder: str) -> None:
    place = ROOT / folder if folder == "shared" else ROOT / "services" / folder
    # A module that outgrew a file is a folder of the same name.
    sources = [
        (path.relative_to(place).parts[0].removesuffix(".py"), path.read_text())
        for path in place.rglob("*.py")
    ]
    assert style.find_shared_tables(sources) == {}


def ours() -> list[type[Event]]:
    """All events but those that other tests make up."""
    return [event for event in all_events() if event.__module__.startswith("shared.events.")]


@pytest.mark.parametrize("event", ours(), ids=lambda event: event.name)
def test_an_event_keeps_its_promise(event: type[Event]) -> None:
    """The sample was recorded when the event was first published. It must load for ever."""
    recorded = json.loads((ROOT / "tests" / "contracts" / f"{event.name}.json").read_text())
    assert recorded.items() <= event.model_validate(recorded).model_dump(mode="json").items()
    module = event.__module__.rpartition(".")[2]
    assert re.fullmatch(rf"{module}\.[a-z]+(_[a-z]+)+\.v\d+", event.name)
    assert event.__doc__


def test_every_event_is_listened_to() -> None:
    """One that no queue is bound to is returned by the broker, and waits in the outbox for ever."""
    heard = set(SHARED_HANDLERS)
    for entry in ENTRIES:
        heard |= set(importlib.import_module(f"services.{entry.name}.consumers").HANDLERS)
    assert set(ours()) <= heard


def test_no_sample_is_without_its_event() -> None:
    samples = {path.stem for path in (ROOT / "tests" / "contracts").glob("*.json")}
    assert samples == {event.name for event in ours()}


Check = Callable[[str], Iterator[str]]

WRONG: list[tuple[Check, str]] = [
    (style.find_long_parts, "x = 1\n" * 301),
    (style.find_long_parts, "def f():\n" + "    x = 1\n" * 60),
    (lambda s: style.find_vagueness("settings", s), "x = 1\n"),
    (lambda s: style.find_vagueness("utils", s), '"""Says what it is."""\n'),
    (style.find_clock_reading, "x = datetime.now(UTC)\n"),
    (style.find_clock_reading, "x = date.today()\n"),
    (style.find_clock_reading, "x = time.time()\n"),
    (style.find_environment_reading, "x = os.environ['X']\n"),
    (style.find_environment_reading, "from os import getenv\n"),
    (style.find_lasting_settings, "await tx.execute('SET statement_timeout = 5')\n"),
    (style.find_lasting_settings, "await tx.execute('SELECT pg_advisory_lock(1)')\n"),
    (style.find_transactions, "async with connection.transaction(): pass\n"),
    (lambda s: style.find_unfinished_edges("pages", s), "ROUTES = []\nx = 1\n"),
    (lambda s: style.find_unfinished_edges("consumers", s), "x = 1\n"),
    (style.find_registering_decorators, "@routes.get('/')\nasync def f(): pass\n"),
    (style.find_registering_decorators, "@app.task\ndef f(): pass\n"),
    (
        style.find_network_in_transactions,
        "async def f():\n async with transaction(p) as tx:\n  await ClientSession().get('x')\n",
    ),
]


@pytest.mark.parametrize(("check", "wrong"), WRONG)
def test_a_check_fails_on_what_it_is_there_for(check: Check, wrong: str) -> None:
    assert [*check(wrong)]


@pytest.mark.parametrize(
    "statement", ["INSERT INTO things (a)", "UPDATE things SET a", "DELETE FROM things"]
)
def test_a_second_writer_of_a_table_is_found(statement: str) -> None:
    sources = [("things", "INSERT INTO things"), ("others", statement)]
    assert style.find_shared_tables(sources) == {"things": {"things", "others"}}
