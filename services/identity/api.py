"""For machines: the keys with which sessions are checked."""

import base64
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, Field

from services.identity import keys
from shared import api
from shared.api import Operation
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT

CACHED_SECONDS = 300


class Key(BaseModel):
    """The public half of a key that signs sessions (RFC 8037)."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    use: Literal["sig"] = "sig"
    alg: Literal["EdDSA"] = "EdDSA"
    kid: str = Field(description="Which key; a session's header names it.")
    x: str = Field(description="The key's 32 bytes in base64url.", pattern="^[A-Za-z0-9_-]{43}$")


class KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[Key]


async def list_keys(request: web.Request) -> web.Response:
    """The public keys that sign sessions, as a JSON Web Key Set.

    A key is published a day before it signs, and until the last session it signed has ended.
    """
    async with transaction(request.app[POOL]) as tx:
        published = await keys.list_public(tx, now=request[ARRIVED_AT])
    key_set = KeySet(
        keys=[
            Key(kid=key.key_id, x=base64.urlsafe_b64encode(key.public_key).rstrip(b"=").decode())
            for key in published
        ]
    )
    return api.answer(key_set, headers={"Cache-Control": f"public, max-age={CACHED_SECONDS}"})


OPERATIONS: api.Operations = {
    list_keys: Operation(response=KeySet),
}

ROUTES = [
    web.get("/keys", list_keys),
]
