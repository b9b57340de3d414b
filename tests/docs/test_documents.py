"""The documents that are made from the code: fresh, valid, and true of what was recorded."""

import copy
import dataclasses
import inspect
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client.metrics import MetricWrapperBase

from deploy.documents import api, events
from deploy.documents.parts import Part, list_parts
from deploy.documents.table import DOCUMENTS, FOLDER, make_all
from shared import metrics
from shared.api import Header, Operation, Operations
from shared.errors import NoSuchPage, Refused
from shared.events import Event, all_events, encode
from shared.guards import MACHINES, bearers
from shared.problems import Problem
from shared.web import Audience

PARTS = list_parts()
ASYNCAPI = events.describe(PARTS)
OPENAPI = api.describe(PARTS)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        document = document[step]
    return document


def payload_validator(event: type[Event]) -> Draft202012Validator:
    schema = ASYNCAPI["components"]["messages"][event.name]["payload"]
    whole = {**schema, "components": ASYNCAPI["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_the_code_says_now(name: str) -> None:
    made = make_all()[name]
    assert (FOLDER / name).read_text() == made, "stale: run `python -m deploy.documents`"


def test_making_them_twice_makes_the_same() -> None:
    assert make_all() == make_all()


def test_every_reference_leads_somewhere() -> None:
    for document in (ASYNCAPI, OPENAPI):
        found = set(references(document))
        assert found
        for reference in found:
            assert resolve(document, reference)


def test_every_event_has_a_channel_with_its_message() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert "servers" not in ASYNCAPI, "where it runs is not the contract's business"
    assert list(ASYNCAPI["channels"]) == [event.name for event in all_events()]
    for event in all_events():
        channel = ASYNCAPI["channels"][event.name]
        assert channel["address"] == event.name
        [reference] = channel["messages"].values()
        message = resolve(ASYNCAPI, reference["$ref"])
        assert message["name"] == event.name
        # In a line: what else there is to know of it, the class says.
        assert message["summary"] == inspect.cleandoc(event.__doc__ or "").partition("\n")[0]
        assert channel["bindings"]["amqp"]["is"] == "routingKey"


def test_an_operation_speaks_of_its_channel_and_of_a_message_in_it() -> None:
    for operation in ASYNCAPI["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")
        assert operation["tags"][0] in [{"name": part.name} for part in PARTS]


def test_who_sends_and_who_receives_is_taken_from_the_code() -> None:
    operations = ASYNCAPI["operations"]
    assert "identity.sends.identity.sessions_revoked.v1" in operations
    assert "payments.sends.identity.sessions_revoked.v1" not in operations
    for part in PARTS:
        assert f"{part.name}.sends.audit.log_sealed.v1" in operations
        for event in all_events():
            received = operations.get(f"{part.name}.receives.{event.name}")
            assert (received is not None) is (event in part.hears)
            assert received is None or received["x-queue"] == part.name


@pytest.mark.parametrize("event", all_events(), ids=lambda event: event.name)
def test_what_was_recorded_and_what_is_sent_fit_the_schema(event: type[Event]) -> None:
    validator = payload_validator(event)
    validator.check_schema(validator.schema)
    sample = events.wrap(event, events.load_sample(event))
    validator.validate([sample])
    [example] = ASYNCAPI["components"]["messages"][event.name]["examples"]
    validator.validate(example["payload"])
    read = event.model_validate(events.load_sample(event))
    validator.validate(json.loads(encode(uuid4(), [read, read])))


@pytest.mark.parametrize("event", all_events(), ids=lambda event: event.name)
def test_the_schema_refuses_what_is_something_else(event: type[Event]) -> None:
    validator = payload_validator(event)
    right = events.wrap(event, events.load_sample(event))
    wrong: list[Any] = [[], right, [{**right, "type": "other.thing_done.v1"}], [{}]]
    # A field that came later may be lacking.
    for name in [name for name, field in event.model_fields.items() if field.is_required()]:
        lacking = copy.deepcopy(right)
        del lacking["data"][name]
        wrong.append([lacking])
    for batch in wrong:
        with pytest.raises(ValidationError):
            validator.validate(batch)


def test_the_openapi_document_is_valid() -> None:
    OpenAPIV31SpecValidator(OPENAPI).validate()


def test_an_operation_has_a_name_of_its_own() -> None:
    names = [
        operation["operationId"]
        for path in OPENAPI["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))
    assert "identity_list_keys" in names


def test_every_line_about_an_operation_has_its_route() -> None:
    for part in PARTS:
        for audience in part.audiences:
            handlers = {
                route.handler for route in audience.routes if isinstance(route, web.RouteDef)
            }
            assert set(audience.operations) <= handlers


class Withdrawn(Refused):
    """It was withdrawn."""

    status = 404


async def show_thing(request: web.Request) -> web.Response:
    """One thing."""
    return web.Response()


def part_with(route: web.RouteDef, operations: Operations) -> Part:
    audience = Audience("/things/api/", [route], MACHINES, operations=operations)
    return dataclasses.replace(PARTS[0], name="things", audiences=[audience])


def test_a_route_for_programs_without_a_description_is_noticed() -> None:
    with pytest.raises(api.Undescribed, match="GET /things/api/new"):
        api.describe([part_with(web.get("/new", show_thing), {})])


def test_parameters_bodies_and_refusals_are_described() -> None:
    operation = Operation(
        response=None, request=Problem, status=204, refusals=[Withdrawn, NoSuchPage]
    )
    route = web.put(r"/things/{number:\d{3}}/{word}", show_thing)
    described = api.describe([part_with(route, {show_thing: operation})])
    OpenAPIV31SpecValidator(described).validate()
    put = described["paths"]["/things/api/things/{number}/{word}"]["put"]
    assert [one["name"] for one in put["parameters"]] == ["number", "word"]
    assert put["parameters"][0]["schema"]["pattern"] == r"^\d{3}$"
    assert put["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("Problem")
    assert "content" not in put["responses"]["204"]
    assert put["responses"]["404"]["description"].splitlines() == [
        "Withdrawn: It was withdrawn.",
        "NoSuchPage: There is nothing at this address. It may have been moved or typed wrongly.",
    ]
    assert "Retry-After" in put["responses"]["503"]["headers"]


def test_a_token_a_header_and_a_file_are_described() -> None:
    async def check(request: web.Request) -> None: ...

    header = Header("Idempotency-Key", "Names this call.", "^x$")
    operation = Operation(response=None, headers=[header], files=["image/png"])
    audience = Audience(
        "/things/api/",
        [web.put("/pictures", show_thing)],
        bearers(check),
        operations={show_thing: operation},
    )
    described = api.describe([dataclasses.replace(PARTS[0], name="things", audiences=[audience])])
    OpenAPIV31SpecValidator(described).validate()
    put = described["paths"]["/things/api/pictures"]["put"]
    [scheme] = put["security"]
    assert scheme.keys() <= described["components"]["securitySchemes"].keys()
    [parameter] = put["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == (
        "Idempotency-Key",
        "header",
        True,
    )
    assert put["requestBody"]["content"].keys() == {"image/png"}


def test_every_figure_stands_in_the_list() -> None:
    text = (FOLDER / "metrics.md").read_text()
    figures = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    assert figures
    for figure in figures:
        assert f"| `{figure._name}" in text
