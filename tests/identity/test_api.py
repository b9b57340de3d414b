"""What identity answers to programs is what its document says."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.conftest import MakeDatabase
from tests.site import open_site

OPENAPI = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"


async def test_the_keys_are_answered_as_described(make_database: MakeDatabase) -> None:
    document = json.loads(OPENAPI.read_text())
    validator = Draft202012Validator({"$ref": "#/components/schemas/KeySet", **document})
    async with open_site(make_database, "identity") as site:
        answer = await site.client.get("/identity/api/keys")
        validator.validate(await answer.json())
        assert answer.headers["Cache-Control"] == "public, max-age=300"


async def test_a_problem_is_answered_as_described(make_database: MakeDatabase) -> None:
    document = json.loads(OPENAPI.read_text())
    validator = Draft202012Validator({"$ref": "#/components/schemas/Problem", **document})
    async with open_site(make_database, "identity") as site:
        for path, status in (("/identity/api/nothing", 404), ("/identity/api/keys", 405)):
            answer = await site.client.request("DELETE", path)
            assert (answer.status, answer.content_type) == (status, "application/problem+json")
            validator.validate(await answer.json())
