"""What everything in the catalogue shares when it is changed: the refusals, and what differs."""

from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol, TypeVar
from zoneinfo import ZoneInfo

from shared.errors import Refused


class CodeTaken(Refused):
    """There is one with this code or number already. Choose another."""


class ChangedMeanwhile(Refused):
    """Somebody else changed this while you did. Look at what it is now, then change it again."""


class Thing(Protocol):
    """A dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=Thing)


def find_differences(old: T, new: T) -> dict[str, Any]:
    """Give what is new, by its name and as it is told in the audit log."""
    names = [field.name for field in fields(new) if field.compare]
    return {name: _tell(new, name) for name in names if _tell(old, name) != _tell(new, name)}


def _tell(thing: Thing, name: str) -> Any:
    value = getattr(thing, name)
    if isinstance(value, ZoneInfo):
        return value.key
    return list(value) if isinstance(value, tuple) else value
