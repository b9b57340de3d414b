"""A candidate's own program: it shows a token and calls the machine interface."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from aiohttp import ClientResponse, ClientSession, hdrs
from aiohttp.test_utils import TestClient

from services.enrollment import tokens
from shared.db import Pool, transaction
from tests.conftest import MakeDatabase
from tests.enrollment import pictures
from tests.enrollment.candidates import AREA, DOCUMENTS, FORM, MULTI, open_sittings
from tests.site import Site, open_site

API = "/enrollment/api"
ANSWERS: Mapping[str, str] = {
    name: answer
    for step in FORM.values()
    for name, answer in step.items()
    if answer and not name.startswith("birth_date")
} | {"birth_date": "1991-05-17"}


async def make_token(pool: Pool, account_id: UUID) -> tuple[UUID, str]:
    token_id, now = uuid4(), datetime.now(UTC)
    async with transaction(pool) as tx:
        token = await tokens.create(
            tx,
            token_id=token_id,
            account_id=account_id,
            label="test",
            expires_at=now + timedelta(days=30),
            now=now,
        )
    return token_id, token


async def give_token(site: Site, owner: UUID) -> dict[str, str]:
    """Give somebody a token; return what stands in its address."""
    token_id, _ = await make_token(site.pools["enrollment"], owner)
    return {"token_id": str(token_id)}


async def show_token(site: Site, account_id: UUID) -> dict[str, str]:
    """What a program of this account sends with every call, and one key for the next."""
    _, token = await make_token(site.pools["enrollment"], account_id)
    return {hdrs.AUTHORIZATION: f"Bearer {token}", "Idempotency-Key": uuid4().hex}


@asynccontextmanager
async def open_for_programs(make_database: MakeDatabase) -> AsyncIterator[Site]:
    """Open enrollment alone, with sittings that are open, for programs that call often."""
    async with open_site(make_database, "enrollment", api_calls_per_minute="60000") as site:
        await open_sittings(site.pools["enrollment"])
        yield site


async def count(site: Site, table: str) -> int:
    counted: int = await site.pools["enrollment"].fetchval(f"SELECT count(*) FROM {table}")
    return counted


async def count_published(site: Site, name: str) -> int:
    counted: int = await site.pools["enrollment"].fetchval(
        "SELECT COALESCE(sum(jsonb_array_length(body::jsonb)), 0) FROM outbox WHERE name = $1", name
    )
    return counted


async def refusal(answer: ClientResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status, (await answer.json())["title"]


@dataclass
class Program:
    """Somebody's program, with a token of theirs."""

    client: "TestClient[Any, Any] | ClientSession"
    account_id: UUID
    token: str

    @classmethod
    async def arrive(cls, site: Site) -> "Program":
        return await cls.begin(site.client, site.pools["enrollment"])

    @classmethod
    async def begin(cls, client: "TestClient[Any, Any] | ClientSession", pool: Pool) -> "Program":
        account_id = uuid4()
        _, token = await make_token(pool, account_id)
        return cls(client, account_id, token)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        data: bytes | None = None,
    ) -> ClientResponse:
        headers: dict[str, str] = {hdrs.AUTHORIZATION: f"Bearer {self.token}"}
        if method != hdrs.METH_GET:
            headers["Idempotency-Key"] = key or uuid4().hex
        return await self.client.request(
            method,
            API + path,
            json=body,
            data=None if data is None else io.BytesIO(data),
            headers=headers,
        )

    async def read(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.call(method, path, body, **more)
        assert answer.status == 200, (answer.status, await answer.text())
        return await answer.json()

    async def claim(self, sitting: str = MULTI, area: str = AREA, **more: Any) -> str:
        """Take a place; return the path of the registration."""
        place = await self.read(
            "POST", "/registrations", {"sitting": sitting, "area": area}, **more
        )
        return f"/registrations/{place['id']}"

    async def agree(self, registration: str) -> None:
        whole = await self.read("GET", registration)
        texts = [{"code": one["code"], "version": one["version"]} for one in whole["texts"]]
        await self.read("PUT", f"{registration}/consents", {"texts": texts})

    async def upload(self, registration: str, document: str, **more: Any) -> ClientResponse:
        path = registration.replace("/registrations/", "/documents/")
        return await self.call("PUT", f"{path}/{document}", data=pictures.draw(), **more)

    async def complete(self, registration: str, **changed: str) -> None:
        """Do everything but send it."""
        await self.agree(registration)
        await self.read("PUT", f"{registration}/form", {**ANSWERS, **changed})
        for document in DOCUMENTS:
            answer = await self.upload(registration, document)
            assert answer.status == 200, await answer.text()
