"""Catalogue files: what may stand in one, read and checked. Knows no database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from services.enrollment.sitting_days import AllDays
from shared import toml_file
from shared.i18n import LANGUAGES

SHIPPED = Path(__file__).parent / "catalogues"
CODE = r"^[a-z0-9]+(-[a-z0-9]+)*$"

Code = Annotated[str, StringConstraints(pattern=CODE, max_length=60)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Method = Literal["convenience_store", "atm", "card", "line_pay"]
METHODS: tuple[str, ...] = get_args(Method)


def _in_every_language(texts: dict[str, Any]) -> dict[str, Any]:
    if missing := [language for language in LANGUAGES if language not in texts]:
        raise ValueError(f"{', '.join(missing)} is missing")
    if strange := [language for language in texts if language not in LANGUAGES]:
        raise ValueError(f"{', '.join(strange)} is no language of this site")
    return texts


def _once(name: str) -> Callable[[list[Any]], list[Any]]:
    """Make the check that no two of a list are the same, by what they are called."""

    def check(items: list[Any]) -> list[Any]:
        names = [getattr(item, name) if name else item for item in items]
        if twice := sorted({str(each) for each in names if names.count(each) > 1}):
            raise ValueError(f"{', '.join(twice)} is there twice")
        return items

    return check


def _known(kind: str) -> Callable[[str, ValidationInfo], str]:
    """Make the check that a code is one of the programme's areas, or dialects."""

    def check(code: str, info: ValidationInfo) -> str:
        if info.context is not None and code not in info.context[kind]:
            raise ValueError(f"The programme's {kind} do not contain {code}")
        return code

    return check


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise ValueError(f"{name} is no time zone") from None
    return name


Titles = Annotated[dict[str, Text], AfterValidator(_in_every_language)]
Paragraphs = Annotated[dict[str, list[Text]], AfterValidator(_in_every_language)]
Area = Annotated[Code, AfterValidator(_known("areas"))]
Dialect = Annotated[Code, AfterValidator(_known("dialects"))]


class Part(BaseModel):
    """A part of a file. What has no meaning here is an error: it may be a misspelt name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChoiceInFile(Part):
    """One of several things to choose from."""

    code: Code
    titles: Titles


Choices = Annotated[list[ChoiceInFile], AfterValidator(_once("code"))]


class FeeInFile(Part):
    """What a place costs."""

    rule: Literal["free_to_birthday", "flat", "centre"]
    amount_twd: int = Field(0, ge=0, le=1_000_000)
    birthday: int | None = Field(None, ge=1, le=120, validate_default=True)

    @field_validator("birthday")
    @classmethod
    def _fits_the_rule(cls, birthday: int | None, info: ValidationInfo) -> int | None:
        if (info.data.get("rule") == "free_to_birthday") != (birthday is not None):
            raise ValueError("The rule free_to_birthday has a birthday, the others have none")
        return birthday


class FormInFile(Part):
    """What candidates are asked."""

    required: Annotated[list[Name], AfterValidator(_once(""))] = []
    optional: Annotated[list[Name], AfterValidator(_once(""))] = []
    choices: dict[Name, Choices] = {}


class DocumentInFile(Part):
    """What candidates upload."""

    code: Name
    titles: Titles
    hints: Titles
    when: Literal["always", "special_needs"]
    not_from_age: int | None = Field(None, ge=1, le=120)


class ConsentInFile(Part):
    """What candidates agree to before anything else; kept with its version."""

    code: Code
    version: Text
    titles: Titles
    text: Paragraphs


class SittingInFile(AllDays, Part):
    """One exam date."""

    code: Code
    number: int = Field(ge=1, le=1_000)
    titles: Titles
    # Left out: all the programme has.
    areas: Annotated[list[Area], Field(min_length=1), AfterValidator(_once(""))] | None = None
    # Left out: unlimited.
    capacity: dict[Area, Annotated[int, Field(ge=0, le=1_000_000)]] = {}

    @field_validator("capacity")
    @classmethod
    def _is_of_its_areas(cls, capacity: dict[str, int], info: ValidationInfo) -> dict[str, int]:
        areas = info.data.get("areas")
        if strange := [area for area in capacity if areas is not None and area not in areas]:
            raise ValueError(f"The sitting's areas do not contain {', '.join(strange)}")
        return capacity


class SeriesInFile(Part):
    """Sittings that share entry rules."""

    code: Code
    titles: Titles
    submit_within_days: int | None = Field(None, ge=1, le=365)
    one_only: bool = False
    absence_bars: bool = False
    methods: Annotated[list[Method], AfterValidator(_once(""))] = []
    # Left out: all the programme has.
    dialects: Annotated[list[Dialect], AfterValidator(_once(""))] | None = None
    sittings: Annotated[list[SittingInFile], AfterValidator(_once("number"))] = []


class PaperInFile(Part):
    """What is sat, and when unless a centre says otherwise, by the centre's own clock."""

    code: Code
    titles: Titles
    starts_at: time


class LevelGroupInFile(Part):
    """What one registers for."""

    code: Code
    titles: Titles
    papers: Annotated[list[PaperInFile], AfterValidator(_once("code"))] = []
    series: Annotated[list[SeriesInFile], AfterValidator(_once("code"))] = []


class Catalogue(Part):
    """A whole file."""

    code: Code
    titles: Titles
    zone: Annotated[str, AfterValidator(_zone)]
    year: int = Field(ge=2000, le=2200)
    publish_time: time
    entry: Literal["candidate", "centre"]
    areas: Choices = []
    dialects: Choices = []
    fee: FeeInFile
    form: FormInFile = FormInFile()
    documents: Annotated[list[DocumentInFile], AfterValidator(_once("code"))] = []
    consents: Annotated[list[ConsentInFile], AfterValidator(_once("code"))] = []
    level_groups: Annotated[list[LevelGroupInFile], AfterValidator(_once("code"))]


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A file that can be loaded, and where in it everything stands."""

    catalogue: Catalogue
    source: toml_file.Source
    digest: str


def read(text: str, *, name: str) -> CatalogueFile:
    """Read a file, or raise every error in it."""
    content, source = toml_file.parse(text, name=name)
    context = {kind: _codes(content.get(kind)) for kind in ("areas", "dialects")}
    catalogue = toml_file.validate(Catalogue, content, source, context=context)
    return CatalogueFile(catalogue, source, sha256(text.encode()).hexdigest())


def _codes(choices: object) -> list[object]:
    """Take the codes from what may be no list of choices at all: it is validated later."""
    rows: Sequence[object] = choices if isinstance(choices, list) else []
    return [row.get("code") for row in rows if isinstance(row, Mapping)]
