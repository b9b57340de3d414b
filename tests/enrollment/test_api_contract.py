"""The machine interface against its own document: whatever is sent, the answer is as it says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deploy.documents import api
from deploy.documents.parts import list_parts
from tests.conftest import MakeDatabase
from tests.enrollment import pictures
from tests.enrollment.candidates import AREA, MULTI, NATIONAL
from tests.enrollment.programs import ANSWERS, Program, open_for_programs

DOCUMENT = api.describe([part for part in list_parts() if part.name == "enrollment"])
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
OPERATIONS: dict[str, Operation] = {
    found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# For each operation and each way of asking: enough to go wrong in every field.
EXAMPLES = 25


@dataclass(frozen=True)
class Served:
    """Enrollment, being served, and a program that has something there."""

    url: str
    token: str
    # What an address may name: a place just taken, a form filled in, and one that was sent.
    registrations: Sequence[str]


@pytest.fixture
async def served(make_database: MakeDatabase) -> AsyncIterator[Served]:
    async with open_for_programs(make_database) as site:
        program = await Program.arrive(site)
        draft, sent = await program.claim(MULTI), await program.claim(NATIONAL)
        await program.agree(draft)
        await program.read("PUT", f"{draft}/form", dict(ANSWERS))
        await site.pools["enrollment"].execute(
            """
            UPDATE registrations SET state = 'in_review', submitted_at = now(), fee_twd = 0
             WHERE sitting = $1
            """,
            NATIONAL,
        )
        ids = [path.rpartition("/")[2] for path in (draft, sent)]
        yield Served(str(site.client.make_url("")).rstrip("/"), program.token, ids)


def explore(label: str, mode: GenerationMode, served: Served) -> set[int]:
    """Send what the document allows, or what it does not; return the answers' statuses."""
    operation = OPERATIONS[label]
    statuses = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), aim=st.integers(0, 5))
    def send(case: Case[Any], aim: int) -> None:
        aim_at(case, aim, served)
        answer = case.call(base_url=served.url, headers={"Authorization": f"Bearer {served.token}"})
        case.validate_response(answer, checks=CHECKS)
        assert str(answer.status_code) in operation.definition.raw["responses"], answer.text
        statuses.add(answer.status_code)

    send()
    return statuses


def aim_at(case: Case[Any], aim: int, served: Served) -> None:
    """Let most cases name something that is there, under a key of their own."""
    if aim == 0:
        return
    if "registration_id" in case.path_parameters:
        case.path_parameters["registration_id"] = served.registrations[aim % 2]
    if "document" in case.path_parameters:
        case.path_parameters["document"] = "photo"
    if aim > 1 and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = uuid4().hex
    if aim > 3 and "document" in case.path_parameters:
        case.body = pictures.draw()
    if aim == 5 and isinstance(case.body, dict) and "sitting" in case.body:
        case.body = {"sitting": MULTI, "area": AREA}


@pytest.mark.parametrize("label", OPERATIONS)
async def test_every_answer_is_as_the_document_says(served: Served, label: str) -> None:
    right = await asyncio.to_thread(explore, label, GenerationMode.POSITIVE, served)
    wrong = await asyncio.to_thread(explore, label, GenerationMode.NEGATIVE, served)
    # Not everything was turned away at the door: it went in deep enough to be worth it.
    assert right & {200, 409}
    assert wrong & {400, 401, 422}


async def test_without_a_token_every_answer_is_401(served: Served) -> None:
    def ask(operation: Operation) -> requests.Response:
        path = operation.path.format(registration_id=served.registrations[0], document="photo")
        return requests.request(operation.method, served.url + path, timeout=10)

    for operation in OPERATIONS.values():
        assert operation.definition.raw["security"] == [{"bearer": []}]
        answer = await asyncio.to_thread(ask, operation)
        assert (answer.status_code, answer.json()["title"]) == (401, "NoToken")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_all_that_is_offered_is_explored() -> None:
    routes = {f"{one.method} {one.path}" for one in api.list_addresses(list_parts())}
    assert {label for label in routes if "/enrollment/" in label} == set(OPERATIONS)
