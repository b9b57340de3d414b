"""What a service offers to programs, stated beside its routes: the document is made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

from shared.errors import Busy, Refused, WrongFields

M = TypeVar("M", bound=BaseModel)

JSON = "application/json"
# What is wrong with the body as a whole, with no single field.
BODY = "body"


@dataclass(frozen=True, slots=True)
class Header:
    """A header that an operation reads and cannot do without."""

    name: str
    description: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What a program sends to one address and what it gets; its handler's docstring says why."""

    response: type[BaseModel] | None  # None: an answer without a body
    request: type[BaseModel] | None = None
    status: int = 200
    refusals: Sequence[type[Refused]] = ()
    headers: Sequence[Header] = ()
    # Media types of a body that is a file; then there is no model of it.
    files: Sequence[str] = ()
    # Foreign systems choose what they send and want to hear.
    request_type: str = JSON
    response_type: str = JSON

    @property
    def all_refusals(self) -> Sequence[type[Refused]]:
        """Its own, and the one that every address has: the database may be away."""
        return (*self.refusals, Busy)


# The table beside ROUTES of an edge for machines.
Operations: TypeAlias = Mapping[Handler, Operation]


async def read(request: web.Request, model: type[M]) -> M:
    """Read what a program sent; refuse it naming each field that is wrong."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as invalid:
        problems = invalid.errors(include_url=False, include_input=False, include_context=False)
        raise WrongFields(
            {".".join(map(str, one["loc"])) or BODY: one["msg"] for one in problems}
        ) from None


def answer(body: BaseModel, *, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with a model: what does not fit it is never sent."""
    return web.json_response(text=body.model_dump_json(), headers=headers)
