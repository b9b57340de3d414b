"""Versioned data files of this package: a changed rule is a new file, and the old one stays."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from shared.i18n import LANGUAGES

_FILE_NAME = re.compile(r"(?P<name>.+)\.v(?P<version>[1-9][0-9]*)\.toml")


class Data(BaseModel):
    """A piece of a data file: nothing unknown is in it, and nothing changes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VersionedFile(Data):
    """A whole file, with the name and version that a result remembers."""

    name: str
    version: int


def _in_every_language(titles: dict[str, str]) -> dict[str, str]:
    if missing := LANGUAGES.keys() - titles.keys():
        raise ValueError(f"has no words in {', '.join(sorted(missing))}")
    return titles


# What people call something, in each language.
Titles = Annotated[dict[str, str], AfterValidator(_in_every_language)]

F = TypeVar("F", bound=VersionedFile)


def load(model: type[F], folder: Path, name: str, version: int | None = None) -> F:
    """Read a version of a file, or the newest. LookupError: there is none."""
    versions = find_versions(folder).get(name, {})
    number = max(versions, default=0) if version is None else version
    if number not in versions:
        raise LookupError(f"{folder.name} has no {name}" + (f", version {number}" * bool(versions)))
    return parse(model, versions[number].read_text(encoding="utf-8"), name=name, version=number)


def parse(model: type[F], text: str, *, name: str, version: int) -> F:
    content = tomllib.loads(text, parse_float=Decimal)
    return model.model_validate(content | {"name": name, "version": version})


def find_versions(folder: Path) -> dict[str, dict[int, Path]]:
    """Find every version of every file: name.v1.toml, name.v2.toml, …"""
    found: dict[str, dict[int, Path]] = {}
    for path in folder.iterdir():
        if parts := _FILE_NAME.fullmatch(path.name):
            found.setdefault(parts["name"], {})[int(parts["version"])] = path
    return found
