"""TOML files that people write: read into a model, or every error with file, line and field."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]
Lines = Mapping[Path, int]

# What a value is made of, after tomllib has found the file sound: strings (long ones first, they
# may hold anything), brackets, commas, keys and the plain rest.
TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|\n|[\[\]{},=.]"
    r"|[^\s\[\]{},=.\"'\#]+",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file, and where."""

    file: str
    line: int
    field: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: "
        return place + (f"{self.field}: {self.sentence}" if self.field else self.sentence)


class Faulty(Exception):
    """A file cannot be used; each fault says why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Source:
    """A file's name and the line on which each of its values stands."""

    name: str
    lines: Lines

    def fault(self, path: Path, sentence: str) -> Fault:
        """Name a value; one that is missing is looked for where it ought to stand."""
        known = path
        while known not in self.lines:
            known = known[:-1]
        return Fault(self.name, self.lines[known], ".".join(map(str, path)), sentence)


def parse(text: str, *, name: str) -> tuple[dict[str, Any], Source]:
    """Read TOML; where it is none, say in which line."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        sentence, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = int(line[1]) if line else text.count("\n") + 1
        raise Faulty([Fault(name, number, "", sentence)]) from None
    return content, Source(name, _find_lines(text))


def validate(
    model: type[M], content: Mapping[str, Any], source: Source, *, context: Mapping[str, Any]
) -> M:
    """Make the model, or raise every error there is."""
    try:
        return model.model_validate(content, context=dict(context))
    except ValidationError as invalid:
        problems = invalid.errors(include_url=False, include_input=False)
        faults = [source.fault(_path(problem["loc"]), _sentence(problem)) for problem in problems]
        raise Faulty(sorted(faults, key=lambda fault: fault.line)) from None


def _path(place: Path) -> Path:
    """Name the key of a mapping that is wrong by itself: pydantic says so in one more word."""
    return place[:-1] if place[-1:] == ("[key]",) else place


def _sentence(problem: Any) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if problem["type"] == "extra_forbidden":
        return "There is no such field"
    return str(problem["msg"])


def _find_lines(text: str) -> Lines:
    """Find the line of every key, table and array element of a file that tomllib can read."""
    return _Walk(text).lines


class _Walk:
    """One walk over the tokens of a file, noting where things begin."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {(): 1}
        self._tables: dict[Path, int] = {}  # how many elements an array of tables has
        self._line = 1
        self._tokens = list(self._tokenize(text))
        self._at = 0
        table: Path = ()
        while self._at < len(self._tokens):
            sign, line = self._tokens[self._at]
            if sign == "\n":
                self._at += 1
            elif sign == "[":
                table = self._read_header()
                self.lines.setdefault(table, line)
            else:
                self._read_pair(table)

    def _tokenize(self, text: str) -> Iterator[tuple[str, int]]:
        for found in TOKEN.finditer(text):
            if not found[0].startswith("#"):
                yield found[0], self._line
            self._line += found[0].count("\n")

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _next(self) -> str:
        return self._tokens[self._at][0]

    def _read_header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`; below an array of tables, its last one is meant."""
        self._take()
        is_array = self._next() == "["
        if is_array:
            self._take()
        keys = self._read_keys("]")
        if is_array:
            self._take()
        path: Path = ()
        for place, key in enumerate(keys):
            path = (*path, key)
            is_last = place == len(keys) - 1
            if is_array and is_last:
                self._tables[path] = self._tables.get(path, 0) + 1
                self.lines.setdefault(path, self._tokens[self._at - 1][1])
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _read_keys(self, end: str) -> list[str]:
        """Read a key, dotted or not, and the sign after it."""
        keys = []
        while (sign := self._take()) != end:
            if sign != ".":
                keys.append(sign[1:-1] if sign[0] in "\"'" else sign)
        return keys

    def _read_pair(self, table: Path) -> None:
        line = self._tokens[self._at][1]
        path = table
        for key in self._read_keys("="):
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._read_value(path)

    def _read_value(self, path: Path) -> None:
        opened = self._take()
        if opened == "{":
            while self._next() != "}":
                if self._next() in {",", "\n"}:
                    self._take()
                else:
                    self._read_pair(path)
            self._take()
        elif opened == "[":
            number = 0
            while self._next() != "]":
                if self._next() in {",", "\n"}:
                    self._take()
                    continue
                self.lines[(*path, number)] = self._tokens[self._at][1]
                self._read_value((*path, number))
                number += 1
            self._take()
        else:
            # 1.5 and 2026-01-01 09:00 are several tokens; a value ends where its line or list does.
            while self._at < len(self._tokens) and self._next() not in {",", "\n", "]", "}"}:
                self._take()
