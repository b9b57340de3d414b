"""The contracts between services: one module per publishing service, one class per fact.

A published class is append-only. To change its meaning, add a `...V2` class with its own name.
On the wire an event is a CloudEvent 1.0 in JSON; a message carries a batch of one kind.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, TypeAdapter

CONTENT_TYPE = "application/cloudevents-batch+json"

E = TypeVar("E", bound="Event")


class Event(BaseModel):
    """A fact that has happened, named in the past tense. It carries its own times."""

    # What cannot be read is told in logs and dead letters, and may be personal: not its content.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    name: ClassVar[str]  # the routing key: <service>.<noun>_<verb>.v<N>


class CloudEvent(BaseModel, Generic[E]):
    """The envelope of one event."""

    model_config = ConfigDict(hide_input_in_errors=True)

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    datacontenttype: Literal["application/json"]
    data: E


def encode(message_id: UUID, events: Sequence[Event]) -> str:
    """Write events of one kind as a CloudEvents batch."""
    name = events[0].name
    source = name.partition(".")[0]
    # Written by hand: all but the data is ours and needs no escaping, and this is the hot path.
    head = f'{{"specversion":"1.0","id":"{message_id}.'
    kind = f'","source":"/{source}","type":"{name}","datacontenttype":"application/json","data":'
    written = [
        f"{head}{number}{kind}{event.model_dump_json()}}}" for number, event in enumerate(events)
    ]
    return f"[{','.join(written)}]"


def decode(event_class: type[E], body: bytes | str) -> list[E]:
    """Read a batch of one kind; raise ValueError (pydantic's) when it is anything else."""
    return [envelope.data for envelope in _batch_of(event_class).validate_json(body)]


@cache
def _batch_of(event_class: type[Any]) -> TypeAdapter[list[CloudEvent[Any]]]:
    # What is wrong may be logged, but not what a person wrote.
    config = ConfigDict(hide_input_in_errors=True)
    return TypeAdapter(list[CloudEvent[event_class]], config=config)  # type: ignore[valid-type]


def all_events() -> list[type[Event]]:
    """Every published class, in the order of their names."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(_published(Event), key=lambda event: event.name)


def _published(event_class: type[Event]) -> Iterator[type[Event]]:
    """The classes that have a name of their own; those without only gather what others share."""
    if "name" in vars(event_class) and event_class.__module__.startswith(__name__):
        yield event_class
    for subclass in event_class.__subclasses__():
        yield from _published(subclass)
