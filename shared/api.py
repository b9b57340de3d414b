"""What a service offers to programs, stated beside its routes: the document is made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from shared.errors import Busy, Refused

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a program sends to one address and what it gets; its handler's docstring says why."""

    response: type[BaseModel] | None  # None: an answer without a body
    request: type[BaseModel] | None = None
    status: int = 200
    refusals: Sequence[type[Refused]] = ()
    # Foreign systems choose what they send and want to hear.
    request_type: str = JSON
    response_type: str = JSON

    @property
    def all_refusals(self) -> Sequence[type[Refused]]:
        """Its own, and the one that every address has: the database may be away."""
        return (*self.refusals, Busy)


# The table beside ROUTES of an edge for machines.
Operations: TypeAlias = Mapping[Handler, Operation]


def answer(body: BaseModel, *, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with a model: what does not fit it is never sent."""
    return web.json_response(text=body.model_dump_json(), headers=headers)
