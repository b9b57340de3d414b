"""The same documents for people to read."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel

from deploy.documents import events
from deploy.documents.api import Address, list_addresses
from deploy.documents.parts import Part
from deploy.documents.schemas import Document, Schemas, list_fields, say_first, say_kind, say_rest
from shared import metrics
from shared.events import Event, all_events
from shared.problems import PROBLEM_TYPE, Problem

MADE = "<!-- Made from the code by `python -m deploy.documents`: change that instead. -->\n"


def show_events(parts: Sequence[Part]) -> str:
    rows = [_event_row(event, parts) for event in all_events()]
    return "\n".join(
        [
            MADE,
            "# Events",
            "",
            events.DESCRIPTION,
            "For programs: [asyncapi.json](asyncapi.json).",
            "",
            *_table(("event", "says", "published by", "listened to by", "fields"), rows),
            "",
            *(line for event in all_events() for line in _event_section(event)),
        ]
    )


def _event_row(event: type[Event], parts: Sequence[Part]) -> tuple[str, ...]:
    senders = [part.name for part in parts if part.sends(event)]
    listeners = [part.name for part in parts if event in part.hears]
    return (
        f"[`{event.name}`](#{event.name.replace('.', '')})",
        say_first(event),
        _some_of(senders, parts),
        _some_of(listeners, parts),
        ", ".join(f"`{name}`" for name in event.model_fields),
    )


def _some_of(names: Sequence[str], parts: Sequence[Part]) -> str:
    return "every service" if len(names) == len(parts) else ", ".join(names) or "nobody yet"


def _event_section(event: type[Event]) -> Iterator[str]:
    yield from (f"## {event.name}", "", say_first(event), "")
    if more := say_rest(event):
        yield from (more, "")
    yield from _model(event)
    sample = json.dumps(events.load_sample(event), indent=2, ensure_ascii=False)
    yield from ("Recorded when it was first published:", "", "```json", sample, "```", "")


def show_api(parts: Sequence[Part]) -> str:
    addresses = list_addresses(parts)
    return "\n".join(
        [
            MADE,
            "# Addresses for programs",
            "",
            "They need no session and read no cookie. For programs: [openapi.json](openapi.json).",
            "",
            *(line for address in addresses for line in _address_section(address)),
            "## When something is wrong",
            "",
            f"Every refusal and every error is answered with `{PROBLEM_TYPE}` (RFC 9457):",
            "",
            *_model(Problem),
        ]
    )


def _address_section(address: Address) -> Iterator[str]:
    operation = address.operation
    yield from (f"## {address.method} {address.path}", "", say_first(address.handler), "")
    if more := say_rest(address.handler):
        yield from (more, "")
    if address.needs_token:
        yield from ("Needs a token: `Authorization: Bearer …`.", "")
    for header in operation.headers:
        yield from (f"Needs the header `{header.name}`: {header.description}", "")
    if operation.files:
        yield from (f"Takes a file as {' or '.join(f'`{kind}`' for kind in operation.files)}.", "")
    if operation.request:
        yield from (f"Takes `{operation.request.__name__}` as `{operation.request_type}`:", "")
        yield from _model(operation.request)
    if operation.response:
        model = operation.response
        name, kind = model.__name__, operation.response_type
        yield from (f"Answers {operation.status} with `{name}` as `{kind}`:", say_first(model), "")
        yield from _model(model, "serialization")
    else:
        yield from (f"Answers {operation.status}, without a body.", "")
    rows = [
        (str(refusal.status), f"`{refusal.__name__}`", say_first(refusal))
        for refusal in sorted(operation.all_refusals, key=lambda one: (one.status, one.__name__))
    ]
    yield from (*_table(("status", "refusal", "says"), rows), "")


def show_metrics(parts: Sequence[Part]) -> str:
    rows = []
    for figure in vars(metrics).values():
        if isinstance(figure, MetricWrapperBase):
            [family] = figure.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(figure._labelnames)  # noqa: SLF001 (it has no other way to ask)
            rows.append((f"`{name}`", family.type, labels or "none", family.documentation))
    return "\n".join(
        [
            MADE,
            "# Metrics",
            "",
            "Every process answers `/metrics` in the format of Prometheus; the gateway does not",
            "let it through. A histogram `x` is seen as `x_bucket`, `x_sum` and `x_count`.",
            "",
            *_table(("name", "type", "labels", "meaning"), rows),
            "",
        ]
    )


def _model(
    model: type[BaseModel], mode: Literal["validation", "serialization"] = "validation"
) -> Iterator[str]:
    """A model's fields, and after them those of the models it is made of."""
    schema = model.model_json_schema(mode=mode, schema_generator=Schemas)
    yield from _fields(schema)
    for name, part in schema.get("$defs", {}).items():
        yield from (f"`{name}`: {part.get('description') or say_kind(part)}", "")
        yield from _fields(part)


def _fields(schema: Document) -> list[str]:
    described = schema.get("properties")
    if not described:
        return []
    rows = [
        (f"`{name}`", kind, described[name].get("description", ""))
        for name, kind in list_fields(schema)
    ]
    if any(row[2] for row in rows):
        return [*_table(("field", "kind", "meaning"), rows), ""]
    return [*_table(("field", "kind"), [row[:2] for row in rows]), ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]
