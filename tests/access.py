"""Who gets in where: the decisions, the routes there are, and a site asked as everybody."""

import re
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import hdrs, web
from yarl import URL

from services.enrollment.tokens import NoToken
from shared.auth import Role
from shared.errors import ForeignForm, NotAllowed, Refused, SignedOut
from shared.guards import RENEWAL, SIGN_IN
from tests.enrollment.candidates import give_registration
from tests.enrollment.centres import give_entry
from tests.enrollment.programs import give_token, show_token
from tests.payments.owned import give_order, give_paid_order
from tests.scoring.papers import give_result
from tests.site import FROM_OUR_PAGE, Site

TABLE = Path(__file__).with_name("access.toml")

NOBODY, CANDIDATE, OTHER = "nobody", "candidate", "other candidate"
PEOPLE = (NOBODY, CANDIDATE, OTHER, *Role)
GROUPS: dict[str, Sequence[str]] = {
    "everyone": PEOPLE,
    "machines": PEOPLE,
    "signed in": PEOPLE[1:],
    "candidates": (CANDIDATE, OTHER),
    "owner": (CANDIDATE,),
    "token": (CANDIDATE, OTHER),
    "token owner": (CANDIDATE,),
    "staff": tuple(Role),
    **{role: (role,) for role in Role},
}
# Decisions about one thing: what is not yours does not exist.
OWNING = {"owner", "token owner"}
# Those who show a token; whoever has only a session stays outside.
BEARING = {"token", "token owner"}
PARAMETER = re.compile(r"\{(\w+)")
SAFE = {hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS}

Decisions = Mapping[str, Sequence[str]]
# Gives something to this account; returns the parameters of its address.
Give = Callable[[Site, UUID], Awaitable[dict[str, str]]]

# What an address names has to be there, or nobody's door would be tried: by the parameter, how an
# account comes to own such a thing; by the address, where it takes more than that.
GIVEN: dict[str, Give] = {
    "registration_id": give_registration,
    "token_id": give_token,
    "order_id": give_order,
    "result_id": give_result,
    "/enrollment/registrations/{registration_id}/confirmation.pdf": give_entry,
    "/payments/applications/{registration_id}": give_paid_order,
    "/payments/orders/{order_id}/receipt.pdf": give_paid_order,
    "/payments/orders/{order_id}/refunds/{refund_id}/payee": give_paid_order,
}
# What programs send, where nothing would be refused before it is looked at whose it is.
BODIES: dict[str, object] = {
    "POST /enrollment/api/registrations": {"sitting": "none", "area": "none"},
    "POST /enrollment/api/registrations/{registration_id}/submission": {"certain": True},
    "PUT /enrollment/api/registrations/{registration_id}/consents": {"texts": []},
    "PUT /enrollment/api/registrations/{registration_id}/form": {},
}
# What stands in an address where nobody owns anything; a made-up id where nothing is listed.
EXAMPLES: dict[str, str] = {}


@dataclass(frozen=True)
class Route:
    """A method and an address, as they stand in the table."""

    method: str
    path: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE


@dataclass(frozen=True)
class Answer:
    """What came back, and from where."""

    status: int
    text: str
    to: URL
    asked: str

    def says(self, refusal: type[Refused]) -> bool:
        return self.status == refusal.status and refusal().sentence in self.text


def read_decisions() -> dict[str, Sequence[str]]:
    """Read the table, with the prefix of each section put before its routes."""
    sections = tomllib.loads(TABLE.read_text())
    decisions = {}
    for prefix, lines in sections.items():
        for line, who in lines.items():
            method, _, path = line.partition(" ")
            decisions[f"{method} {prefix.rstrip('/')}{path}"] = who
    return decisions


def list_routes(app: web.Application) -> list[Route]:
    """Everything the application answers, however it was added."""
    routes = []
    for route in app.router.routes():
        assert route.resource
        assert route.method != hdrs.METH_ANY, f"{route.resource.canonical} takes any method"
        if route.method != hdrs.METH_HEAD:  # comes with every GET
            routes.append(Route(route.method, route.resource.canonical))
    return routes


def find_undecided(routes: Sequence[Route], decisions: Decisions) -> Iterator[str]:
    """Name routes without a decision, and decisions that are none."""
    keys = [route.key for route in routes]
    yield from (f"{key}: nobody decided who gets in" for key in keys if key not in decisions)
    yield from (f"{key}: decided, but there is no such route" for key in decisions.keys() - {*keys})
    for key, who in decisions.items():
        yield from (f"{key}: who is {word!r}?" for word in who if word not in GROUPS)
        if OWNING & {*who} and find_giver(key) is None:
            yield f"{key}: how does a candidate come to own it? Say so in tests/access.py"


def find_giver(path: str) -> Give | None:
    """Find how somebody comes to own what an address names, if it names such a thing."""
    address = path[path.index("/") :]
    return next((GIVEN[n] for n in [address, *PARAMETER.findall(path)] if n in GIVEN), None)


async def find_wrong_doors(site: Site, routes: Sequence[Route], decisions: Decisions) -> list[str]:
    """Ask every route as everybody; say who got in, or did not, against the decision."""
    wrong = []
    for route in routes:
        who = decisions[route.key]
        decided = {person for word in who for person in GROUPS[word]}
        for person in PEOPLE:
            if person == OTHER and not {*who} & (OWNING | BEARING):
                continue
            answer = await _ask(site, route, person, who, headers=FROM_OUR_PAGE)
            if answer.status == 500:
                wrong.append(f"{route.key}: breaks when {person} asks")
            let_in = is_let_in(answer, exists=find_giver(route.path) is not None)
            if let_in != (person in decided):
                word = "got in" if let_in else "did not get in"
                wrong.append(f"{route.key}: {person} {word} ({answer.status})")
    return wrong


async def find_forgeable(site: Site, routes: Sequence[Route], decisions: Decisions) -> list[str]:
    """Send forms from elsewhere as people who may; say where that worked."""
    wrong = []
    for route in routes:
        who = decisions[route.key]
        if route.is_safe:
            continue
        person = next(one for word in who for one in reversed(GROUPS[word]))
        is_for_programs = bool({*who} & {"machines", *BEARING})
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
            answer = await _ask(site, route, person, who, headers=headers)
            if answer.says(ForeignForm) == is_for_programs:
                wrong.append(f"{route.key}: {answer.status} to a form of another site, {headers}")
    return wrong


def is_let_in(answer: Answer, *, exists: bool) -> bool:
    """Tell an answer from behind the door from one given at the door."""
    if any(answer.says(refusal) for refusal in (SignedOut, NotAllowed, ForeignForm, NoToken)):
        return False
    if answer.status == 404 and exists:
        return False  # what is not yours does not exist
    # The door sends one away with the way back; a page that has a reason of its own does not.
    return answer.to.path not in {SIGN_IN, RENEWAL} or answer.to.query.get("next") != answer.asked


async def _ask(
    site: Site, route: Route, person: str, who: Sequence[str], *, headers: Mapping[str, str]
) -> Answer:
    """Ask as somebody new: what the asking changes is nobody else's concern."""
    shown: dict[str, str] = {}
    asking: UUID | None = None
    if person != NOBODY:
        roles = [Role(person)] if person in {*Role} else []
        asking, shown = await site.begin_session(*roles)
    if asking is not None and BEARING & {*who} and person in {CANDIDATE, OTHER}:
        shown = await show_token(site, asking)
    parameters: Mapping[str, str] = EXAMPLES
    if give := find_giver(route.path):
        owner, _ = await site.begin_session() if person != CANDIDATE else (asking, None)
        assert owner
        parameters = await give(site, owner)
    site.client.session.cookie_jar.clear()
    body = BODIES.get(route.key)
    response = await site.client.request(
        route.method,
        fill_in(route.path, parameters),
        json=body,
        data=None if route.is_safe or body is not None else {},
        headers={**headers, **shown, hdrs.ACCEPT_LANGUAGE: "en"},
        allow_redirects=False,
    )
    to = URL(response.headers.get(hdrs.LOCATION, ""))
    text = await response.text(errors="replace")  # it may be a picture
    return Answer(response.status, text, to, response.url.path_qs)


def fill_in(path: str, parameters: Mapping[str, Any]) -> str:
    """Put values in the place of an address's parameters."""
    parts = path.split("/")
    for place, part in enumerate(parts):
        if part.startswith("{"):
            name = part.strip("{}").partition(":")[0]
            parts[place] = parameters.get(name, str(UUID(int=0)))
    return "/".join(parts)
