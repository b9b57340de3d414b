"""Scheme files say what the regulations say, and a file that makes no sense is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.scoring.rules import list_schemes, load_scheme
from services.scoring.rules.data_file import find_versions, load, parse
from services.scoring.rules.scheme import SCHEMES, Scheme

TITLES = 'titles = { zh-Hant-TW = "甲", en = "A" }'
SOUND = f"""
{TITLES}
deductions = [1]
sections.reading = {{ {TITLES}, maximum = 10, parts = {{ one = {{ {TITLES}, maximum = 10 }} }} }}
levels = [
  {{ {TITLES}, total = 8, sections = {{ reading = 5 }} }},
  {{ {TITLES}, total = 5, parts = {{ reading = {{ one = {{ above = 0 }} }} }} }},
]
"""


@pytest.mark.parametrize(
    ("name", "maxima"),
    [
        ("hakka-basic", {"listening": 30, "speaking": 50, "reading": 20}),
        ("hakka-intermediate", {"listening": 70, "speaking": 108, "reading": 70, "writing": 52}),
        ("hakka-advanced", {"listening": 60, "speaking": 72, "reading": 72, "writing": 96}),
    ],
)
def test_the_maxima_are_those_of_the_regulations(name: str, maxima: dict[str, int]) -> None:
    scheme = load_scheme(name)
    assert {section: rule.maximum for section, rule in scheme.sections.items()} == maxima
    assert scheme.deductions == (1, 3, 5)


def test_the_schemes_are_those_of_the_hakka_exams() -> None:
    assert list_schemes() == ["hakka-advanced", "hakka-basic", "hakka-intermediate"]


@pytest.mark.parametrize(
    ("name", "version"),
    [(name, number) for name, found in find_versions(SCHEMES).items() for number in found],
)
def test_every_version_of_every_scheme_can_be_read(name: str, version: int) -> None:
    assert (load_scheme(name, version).name, load_scheme(name, version).version) == (name, version)


def test_the_newest_version_decides_unless_another_is_asked_for(tmp_path: Path) -> None:
    for version in (1, 2, 10):
        text = SOUND.replace("deductions = [1]", f"deductions = [{version}]")
        (tmp_path / f"made-up.v{version}.toml").write_text(text)
    (tmp_path / "made-up.v11.toml.bak").write_text("no TOML")
    assert load(Scheme, tmp_path, "made-up").deductions == (10,)
    assert load(Scheme, tmp_path, "made-up", 2).deductions == (2,)
    assert load(Scheme, tmp_path, "made-up", 2).version == 2


def test_the_sound_file_is_sound() -> None:
    scheme = parse(Scheme, SOUND, name="made-up", version=1)
    assert scheme.maximum == 10
    assert scheme.needs_parts("reading")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("maximum = 10, parts", "maximum = 11, parts", "do not add up to 11"),
        ("maximum = 10, parts", "maximum = 9, parts", "do not add up to 9"),
        ("{ one = { t", "{ all = { t", "no part of reading may be named all"),
        ("total = 8", "total = 4", "the best level must come first"),
        ("total = 8", "total = 11", "nobody can reach 11 of 10 points"),
        ("reading = 5", "writing = 5", "there is no section writing"),
        ("reading = 5", "reading = 11", "nobody can reach 11 points in reading"),
        ("reading = { one = { above", "reading = { two = { above", "reading has no part two"),
        ("reading = { one = { above", "writing = { one = { above", "writing has no part one"),
        ("above = 0", "at_most = 0", "Extra inputs are not permitted"),
        ('zh-Hant-TW = "甲", ', "", "has no words in zh-Hant-TW"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(old: str, new: str, sentence: str) -> None:
    assert old in SOUND
    with pytest.raises(ValidationError, match=sentence):
        parse(Scheme, SOUND.replace(old, new), name="made-up", version=1)
