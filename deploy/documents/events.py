"""What the services tell each other, as an AsyncAPI document."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from deploy.documents.parts import ROOT, Part, read_version
from deploy.documents.schemas import REF_TEMPLATE, Document, Schemas, say_first
from shared.bus import EVENTS
from shared.events import CONTENT_TYPE, CloudEvent, Event, all_events
from shared.outbox import EVENTS_PER_ROW

BINDING = "0.3.0"
CONTRACTS = ROOT / "tests" / "contracts"

DESCRIPTION = f"""\
Facts that have happened, told by the service where they happened. They travel over RabbitMQ
through the topic exchange `{EVENTS}`; an event's name is its routing key. A message is a
batch of one kind in the JSON batch format of CloudEvents 1.0. Each service has one durable quorum
queue of its own name, bound to what it listens to. Delivery is at least once and in no particular
order: the message id tells repetitions apart. A published event only ever gains fields; another
meaning gets another name.
"""


def describe(parts: Sequence[Part]) -> Document:
    events = all_events()
    references, schemas = _schemas_of_data(events)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Examhall events",
            "version": read_version(),
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
            "tags": [{"name": part.name, "description": part.sentence} for part in parts],
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {event.name: _channel(event) for event in events},
        "operations": {
            name: operation
            for event in events
            for part in parts
            for name, operation in _operations(part, event)
        },
        "components": {
            "messages": {event.name: _message(event, references[event]) for event in events},
            "schemas": schemas,
        },
    }


def load_sample(event: type[Event]) -> Any:
    """An event's data as recorded when it was first published."""
    return json.loads((CONTRACTS / f"{event.name}.json").read_text())


def _schemas_of_data(
    events: Sequence[type[Event]],
) -> tuple[dict[type[Event], Document], Document]:
    """Reference every event's data, and describe it."""
    references, schemas = models_json_schema(
        [(event, "validation") for event in events],
        ref_template=REF_TEMPLATE,
        schema_generator=Schemas,
    )
    definitions: Document = schemas["$defs"]
    by_event = {event: references[event, "validation"] for event in events}
    return by_event, dict(sorted(definitions.items()))


def _channel(event: type[Event]) -> Document:
    return {
        "address": event.name,
        "title": event.__name__,
        "description": say_first(event),
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.name}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": EVENTS,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _message(event: type[Event], data: Document) -> Document:
    return {
        "name": event.name,
        "title": event.__name__,
        "summary": say_first(event),
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "properties": {
                "traceparent": {
                    "type": "string",
                    "description": "The trace of the request that caused it (W3C Trace Context).",
                }
            },
        },
        "payload": {
            "type": "array",
            "minItems": 1,
            "maxItems": EVENTS_PER_ROW,
            "items": _envelope(event, data),
        },
        "examples": [{"name": "recorded", "payload": [wrap(event, load_sample(event))]}],
        "bindings": {"amqp": {"messageType": event.name, "bindingVersion": BINDING}},
    }


def wrap(event: type[Event], data: object) -> Document:
    """Data in the envelope in which it travels."""
    return {
        "specversion": "1.0",
        "id": "0190a6f0-0000-7000-8000-00000000000a.0",
        "source": f"/{event.name.partition('.')[0]}",
        "type": event.name,
        "datacontenttype": "application/json",
        "data": data,
    }


def _envelope(event: type[Event], data: Document) -> Document:
    """The schema of a CloudEvent, narrowed to one kind of data."""
    schema = CloudEvent[Event].model_json_schema(schema_generator=Schemas)
    schema.pop("$defs")
    schema.pop("title")
    schema["properties"]["id"]["description"] = "The message's id, and the place in its batch."
    schema["properties"]["source"]["const"] = f"/{event.name.partition('.')[0]}"
    schema["properties"]["type"]["const"] = event.name
    schema["properties"]["data"] = data
    return schema


def _operations(part: Part, event: type[Event]) -> Iterator[tuple[str, Document]]:
    if part.sends(event):
        binding = {"deliveryMode": 2, "mandatory": True, "bindingVersion": BINDING}
        yield f"{part.name}.sends.{event.name}", _operation("send", part, event, binding)
    if event in part.hears:
        operation = _operation("receive", part, event, {"ack": True, "bindingVersion": BINDING})
        yield f"{part.name}.receives.{event.name}", operation | {"x-queue": part.name}


def _operation(action: str, part: Part, event: type[Event], binding: Document) -> Document:
    channel = f"#/channels/{event.name}"
    return {
        "action": action,
        "summary": f"{part.name} {action}s {event.__name__}.",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.__name__}"}],
        "tags": [{"name": part.name}],
        "bindings": {"amqp": binding},
    }
