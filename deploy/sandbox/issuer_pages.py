"""The addresses of the sandbox's OpenID Connect issuer: its pages, and what programs ask of it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web
from yarl import URL

from deploy.sandbox.issuer import Asked, Denied, Issuer, NotOurClient, Person
from deploy.sandbox.issuer_keys import Fault
from deploy.sandbox.pages import page, read_form, refuse_other_sites

ISSUER = web.AppKey("issuer", Issuer)
PEOPLE = web.AppKey("people", list[Person])
# Whom the page offers: the first has an account on a machine that was just set up.
FIRST_PEOPLE = (
    Person("candidate@examhall.example", "陳小明", is_verified=True),
    Person("newcomer@examhall.example", "吳美玲", is_verified=True),
    Person("unverified@examhall.example", "周志強", is_verified=False),
)
MOST_PEOPLE = 6
LONGEST_ANSWER = 200
NOTHING_TYPED: Mapping[str, str] = {}
WITHOUT_END = b"[" * (16 * 1024 * 1024)


async def show_configuration(request: web.Request) -> web.Response:
    return await _tell(request, request.app[ISSUER].configuration())


async def show_keys(request: web.Request) -> web.Response:
    return await _tell(request, request.app[ISSUER].key_set())


async def redeem(request: web.Request) -> web.Response:
    """The token endpoint."""
    issuer = request.app[ISSUER]
    authorization = request.headers.get(hdrs.AUTHORIZATION)
    try:
        told = issuer.redeem(await read_form(request), authorization)
    except Denied as denied:
        response = web.json_response(denied.answer, status=denied.status)
        if denied.status == web.HTTPUnauthorized.status_code and authorization is not None:
            response.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="sandbox"'
        return response
    return await _tell(request, told)


async def show_authorization(request: web.Request) -> web.Response:
    """The authorization endpoint: asks who one would like to be."""
    return _show_choice(request, status=200, fault="")


async def authorize(request: web.Request) -> web.Response:
    refuse_other_sites(request, request.app[ISSUER].url)
    issuer, people = request.app[ISSUER], request.app[PEOPLE]
    asked = _check(request)
    form = await read_form(request)
    choice = form.get("choice", "")
    if choice == "refuse":
        refused = {"error": "access_denied"}
        raise web.HTTPSeeOther(issuer.go_back(asked.state, refused))
    if choice == "typed":
        typed = form.get("email", "").strip(), form.get("name", "").strip()
        if "@" not in typed[0] or max(map(len, typed)) > LONGEST_ANSWER:
            return _show_choice(request, status=422, fault="email", typed=form)
        person = Person(*typed, is_verified=form.get("verified") == "yes")
        people[:] = [person, *(one for one in people if one.email != person.email)][:MOST_PEOPLE]
    else:
        chosen = [person for person in people if person.email == choice]
        if not chosen:
            return _show_choice(request, status=422, fault="choice")
        person = chosen[0]
    try:
        raise web.HTTPSeeOther(issuer.grant(asked, person))
    except Denied as denied:
        raise web.HTTPSeeOther(issuer.go_back(asked.state, denied.answer)) from denied


def _check(request: web.Request) -> Asked:
    """Read what the client asks for, or send the browser back with the reason, or nowhere."""
    issuer = request.app[ISSUER]
    try:
        return issuer.check(request.query)
    except NotOurClient as refusal:
        shown = page("not_our_client.html")
        raise web.HTTPBadRequest(text=shown.text, headers=shown.headers) from refusal
    except Denied as denied:
        address = issuer.go_back(request.query.get("state", ""), denied.answer)
        raise web.HTTPSeeOther(address) from denied


def _show_choice(
    request: web.Request, *, status: int, fault: str, typed: Mapping[str, str] = NOTHING_TYPED
) -> web.Response:
    _check(request)
    issuer, people = request.app[ISSUER], request.app[PEOPLE]
    # Browsers hold the address a form's answer leads to against form-action, too.
    client = URL(issuer.client.redirect_uri).origin()
    return page(
        "sign_in.html",
        status=status,
        leads_to=[issuer.client.redirect_uri],
        people=people,
        action=str(request.rel_url),
        client=str(client),
        fault=fault,
        typed=typed,
    )


async def show_issuer(request: web.Request) -> web.Response:
    """The issuer's own page: what it does wrong, and its keys."""
    issuer = request.app[ISSUER]
    keys = [key["kid"] for key in issuer.key_set()["keys"]]
    return page("issuer.html", faults=list(Fault), present=issuer.fault, keys=keys)


async def choose_fault(request: web.Request) -> web.Response:
    refuse_other_sites(request, request.app[ISSUER].url)
    chosen = (await read_form(request)).get("fault", "")
    if chosen not in {*Fault}:
        raise web.HTTPBadRequest
    request.app[ISSUER].fault = Fault(chosen)
    raise web.HTTPSeeOther("/oidc/")


async def rotate(request: web.Request) -> web.Response:
    refuse_other_sites(request, request.app[ISSUER].url)
    request.app[ISSUER].rotate()
    raise web.HTTPSeeOther("/oidc/")


async def _tell(request: web.Request, document: Any) -> web.Response:
    """Answer a program, or keep it waiting, or confuse it."""
    issuer = request.app[ISSUER]
    if issuer.fault is Fault.FAILS:
        raise web.HTTPInternalServerError
    if issuer.fault is Fault.IS_SLOW:
        await asyncio.sleep(issuer.slow_seconds)
    if issuer.fault is Fault.SENDS_ELSEWHERE:
        raise web.HTTPTemporaryRedirect("/healthz")
    if issuer.fault is Fault.TALKS_WITHOUT_END:
        return web.Response(body=WITHOUT_END, content_type="application/json")
    return web.json_response([] if issuer.fault is Fault.TALKS_NONSENSE else document)


ROUTES = [
    web.get("/oidc/", show_issuer),
    web.post("/oidc/fault", choose_fault),
    web.post("/oidc/rotation", rotate),
    web.get("/oidc/.well-known/openid-configuration", show_configuration),
    web.get("/oidc/keys", show_keys),
    web.get("/oidc/authorization", show_authorization),
    web.post("/oidc/authorization", authorize),
    web.post("/oidc/token", redeem),
]
