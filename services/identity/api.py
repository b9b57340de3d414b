"""For machines: the keys with which sessions are checked."""

import base64

from aiohttp import web

from services.identity import keys
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT

CACHED_SECONDS = 300


async def list_keys(request: web.Request) -> web.Response:
    """The public keys that sign sessions, as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    async with transaction(request.config_dict[POOL]) as tx:
        published = await keys.list_public(tx, now=request[ARRIVED_AT])
    document = {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "EdDSA",
                "kid": key.key_id,
                "x": base64.urlsafe_b64encode(key.public_key).rstrip(b"=").decode(),
            }
            for key in published
        ]
    }
    return web.json_response(
        document, headers={"Cache-Control": f"public, max-age={CACHED_SECONDS}"}
    )


ROUTES = [
    web.get("/keys", list_keys),
]
