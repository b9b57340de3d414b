"""What the services offer to programs, as an OpenAPI document."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from deploy.documents.parts import Part, read_version
from deploy.documents.schemas import REF_TEMPLATE, Document, Schemas, say_first, say_rest
from shared.api import Operation
from shared.errors import Refused
from shared.problems import PROBLEM_TYPE, Problem

DESCRIPTION = """\
The addresses that are meant for programs. They need no session and read no cookie. Whatever goes
wrong is answered with a problem document (RFC 9457), whose title is a name to go by.
"""
BEARER = "bearer"
SECURITY_SCHEMES: Document = {
    BEARER: {
        "type": "http",
        "scheme": "bearer",
        "description": "A token that a candidate made on the page /enrollment/tokens/.",
    }
}
PARAMETER = re.compile(r"\{([^{}:]+)(?::((?:[^{}]|\{[^{}]*\})+))?\}")

Use = tuple[type[BaseModel], Literal["validation", "serialization"]]


@dataclass(frozen=True, slots=True)
class Address:
    """One route for programs, and what is known of it."""

    part: Part
    method: str
    path: str
    handler: Any
    operation: Operation
    needs_token: bool


class Undescribed(Exception):
    """A route for programs has no line in its edge's OPERATIONS."""


def list_addresses(parts: Sequence[Part]) -> list[Address]:
    return [address for part in parts for address in _list_of(part)]


def _list_of(part: Part) -> Iterator[Address]:
    for audience in part.audiences:
        if not audience.guard.for_machines:
            continue
        for route in audience.routes:
            assert isinstance(route, web.RouteDef)
            path = audience.prefix.rstrip("/") + route.path
            operation = audience.operations.get(route.handler)
            if operation is None:
                raise Undescribed(f"{route.method} {path}")
            needs_token = audience.guard.check is not None
            yield Address(part, route.method, path, route.handler, operation, needs_token)


def describe(parts: Sequence[Part]) -> Document:
    addresses = list_addresses(parts)
    names, schemas = _schemas(addresses)
    paths: defaultdict[str, Document] = defaultdict(dict)
    for address in addresses:
        path = PARAMETER.sub(r"{\1}", address.path)
        paths[path][address.method.lower()] = _operation(address, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Examhall for programs",
            "version": read_version(),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [
            {"name": part.name, "description": part.sentence}
            for part in parts
            if any(address.part is part for address in addresses)
        ],
        "paths": dict(paths),
        "components": {"schemas": schemas, "securitySchemes": SECURITY_SCHEMES},
    }


def _schemas(addresses: Sequence[Address]) -> tuple[dict[Use, Document], Document]:
    """Reference every model in use, and describe it."""
    uses: list[Use] = [(Problem, "validation")]
    for address in addresses:
        if address.operation.request:
            uses.append((address.operation.request, "validation"))
        if address.operation.response:
            uses.append((address.operation.response, "serialization"))
    names, schemas = models_json_schema(
        list(dict.fromkeys(uses)), ref_template=REF_TEMPLATE, schema_generator=Schemas
    )
    definitions: Document = schemas["$defs"]
    return {(model, mode): ref for (model, mode), ref in names.items()}, dict(  # type: ignore[misc]
        sorted(definitions.items())
    )


def _operation(address: Address, names: dict[Use, Document]) -> Document:
    operation = address.operation
    described: Document = {
        "operationId": f"{address.part.name}_{address.handler.__name__}",
        "tags": [address.part.name],
        "summary": say_first(address.handler),
        "description": say_rest(address.handler),
        "security": [{BEARER: []}] if address.needs_token else [],
        "parameters": _parameters(address),
    }
    if operation.files:
        file = {"schema": {"type": "string", "format": "binary"}}
        described["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(operation.files, file),
        }
    if operation.request:
        schema = names[operation.request, "validation"]
        described["requestBody"] = {
            "required": True,
            "content": {operation.request_type: {"schema": schema}},
        }
    success: Document = {"description": HTTPStatus(operation.status).phrase}
    if operation.response:
        schema = names[operation.response, "serialization"]
        success["content"] = {operation.response_type: {"schema": schema}}
    problem = {PROBLEM_TYPE: {"schema": names[Problem, "validation"]}}
    described["responses"] = {
        str(operation.status): success,
        **_refusals(operation, problem),
        "default": {"description": "Something else is wrong.", "content": problem},
    }
    return {key: value for key, value in described.items() if value or key == "security"}


def _parameters(address: Address) -> list[Document]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", **({"pattern": f"^{form}$"} if form else {})},
        }
        for name, form in PARAMETER.findall(address.path)
    ]
    in_headers = [
        {
            "name": header.name,
            "in": "header",
            "required": True,
            "description": header.description,
            "schema": {"type": "string", "pattern": header.pattern},
        }
        for header in address.operation.headers
    ]
    return [*in_path, *in_headers]


def _refusals(operation: Operation, problem: Document) -> Document:
    """One answer per status; more than one refusal may share it."""
    by_status: defaultdict[int, list[type[Refused]]] = defaultdict(list)
    for refusal in operation.all_refusals:
        by_status[refusal.status].append(refusal)
    described: Document = {}
    for status, refusals in sorted(by_status.items()):
        answer: Document = {
            "description": "\n".join(f"{one.__name__}: {say_first(one)}" for one in refusals),
            "content": problem,
        }
        if any(refusal.retry_after_seconds for refusal in refusals):
            seconds = {"description": "Seconds.", "schema": {"type": "integer"}}
            answer["headers"] = {"Retry-After": seconds}
        described[str(status)] = answer
    return described
