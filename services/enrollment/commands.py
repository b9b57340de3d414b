"""What operators do on the command line: load catalogues."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from services.enrollment import catalogue, catalogue_files
from services.enrollment.catalogue import Report
from services.enrollment.catalogue_files import CatalogueFile
from services.enrollment.settings import Settings
from shared import db
from shared.run import Command
from shared.toml_file import Fault, Faulty


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    load = actions.add_parser("load", help="bring programmes and sittings to what files say")
    load.add_argument(
        "file",
        nargs="*",
        type=Path,
        help="a TOML file, from the checkout's root; none: all we ship",
    )


async def _catalogue(settings: Settings, arguments: argparse.Namespace) -> int:
    try:
        reports = await load_files(settings, files=arguments.file)
    except Faulty as faulty:
        print(faulty, file=sys.stderr)
        return 1
    for name, report in reports.items():
        print(f"{name}: {report.added} added, {report.changed} changed")
        for kept in report.kept:
            print(f"  {kept} stays as staff changed it")
    return 0


async def load_files(settings: Settings, *, files: Sequence[Path] = ()) -> dict[str, Report]:
    """Load files, all of them or, when anything is wrong with any, none."""
    read = _read(files or sorted(catalogue_files.SHIPPED.glob("*.toml")))
    connection = await db.connect(str(settings.database_url), application="catalogue load")
    try:
        async with connection.transaction():
            return {
                file.source.name: await catalogue.load(
                    connection, file=file, actor="catalogue file", now=datetime.now(UTC)
                )
                for file in read
            }
    finally:
        await connection.close()


async def prepare(settings: Settings) -> None:
    """Whoever starts for the first time sees the calendar at once."""
    await load_files(settings)


def _read(files: Sequence[Path]) -> list[CatalogueFile]:
    read: list[CatalogueFile] = []
    faults: list[Fault] = []
    for file in files:
        try:
            read.append(catalogue_files.read(_read_text(file), name=file.name))
        except Faulty as faulty:
            faults += faulty.faults
    if faults:
        raise Faulty(faults)
    return read


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Faulty([Fault(str(file), 1, "", str(error))]) from None


COMMANDS = {
    "catalogue": Command("programmes and their sittings", _arguments, _catalogue),
}
