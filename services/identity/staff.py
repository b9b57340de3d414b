"""Pages for administrators: who is staff, with which roles."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID, uuid4

from aiohttp import web
from pydantic import BaseModel

from services.identity import accounts, inquiries, links, second_factors, sessions
from services.identity.accounts import Account
from services.identity.links import Link, Purpose
from services.identity.rules import email_key, find_address_fault
from shared import audit, outbox, staff_page
from shared.auth import PRINCIPAL, Role
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage, Refused
from shared.events.identity import StaffInvited
from shared.forms import Form, Says
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render


class LastAdministrator(Refused):
    """There must be somebody left who can give roles: make another administrator first."""


class Invitation(BaseModel):
    """Whom to invite, and as what."""

    person: Annotated[str, Says(mark("Enter the person's name"))]
    email: Annotated[str, Says(mark("Enter the person's e-mail address"))]
    roles: Annotated[list[Role], Says(mark("Choose at least one role"))]


async def first_page(request: web.Request) -> web.Response:
    return await staff_page.show(request, "staff/overview.html")


async def list_people(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        people = await accounts.list_staff(tx)
    return render(request, "staff/list_people.html", people=people, sent=request.query.get("sent"))


async def show_invitation(request: web.Request) -> web.Response:
    return render(request, "staff/invite.html", form=Form.blank(Invitation), roles=list(Role))


async def invite(request: web.Request) -> web.Response:
    form = Form.read(Invitation, await request.post())
    if form.value is not None and not form.value.roles:
        form.add_error("roles", mark("Choose at least one role"))
    if form.value is not None and (fault := find_address_fault(form.value.email)):
        form.add_error("email", fault)
    if form.value is None:
        return render(request, "staff/invite.html", status=422, form=form, roles=list(Role))
    invited = form.value
    async with transaction(request.app[POOL]) as tx:
        account = await accounts.find_by_email(tx, email=invited.email)
        if account is None:
            await _write_invitation(tx, request, invited)
            raise_to = "/identity/staff/people?sent=yes"
        else:
            # Somebody with an account needs no letter: they sign in, and set up the second factor.
            await _set_roles(tx, request, account, sorted({*account.roles, *invited.roles}))
            raise_to = f"/identity/staff/people/{account.id}"
    raise web.HTTPSeeOther(raise_to)


async def _set_roles(tx: Tx, request: web.Request, account: Account, roles: Sequence[Role]) -> None:
    actor, now = str(request[PRINCIPAL].id), request[ARRIVED_AT]
    await accounts.set_roles(tx, account=account, roles=roles, actor=actor, now=now)
    if account.is_staff != bool(roles):
        # Candidates signed in without the second factor, and for longer.
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=now)


async def _write_invitation(tx: Tx, request: web.Request, invited: Invitation) -> None:
    now, actor = request[ARRIVED_AT], str(request[PRINCIPAL].id)
    details = {
        "email": invited.email,
        "person": invited.person,
        "language": language_of(request),
        "roles": sorted(invited.roles),
        "by": actor,
    }
    link = Link(Purpose.INVITATION, email_key(invited.email), details, now + links.INVITATION_LASTS)
    token = await links.issue(tx, link, now=now)
    request_id = uuid4()
    await outbox.publish(
        tx,
        [
            StaffInvited(
                request_id=request_id,
                email=invited.email,
                person=invited.person,
                language=details["language"],
                link=inquiries.address(str(request.app[SETTINGS].public_url), link, token),
                expires_at=link.expires_at,
                roles=sorted(invited.roles),
            )
        ],
    )
    await audit.record(
        tx,
        [
            audit.Line(
                actor, "staff_invited", f"invitation {request_id}", {"roles": details["roles"]}
            )
        ],
    )


async def _load(tx: Tx, request: web.Request) -> Account:
    try:
        account_id = UUID(request.match_info["account_id"])
    except ValueError:
        raise NoSuchPage from None
    account = await accounts.find(tx, account_id=account_id)
    if account is None:
        raise NoSuchPage
    return account


async def show_person(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        account = await _load(tx, request)
    return render(request, "staff/show_person.html", person=account, roles=list(Role))


async def change_roles(request: web.Request) -> web.Response:
    posted = await request.post()
    roles = [role for role in Role if role in posted.getall("roles", [])]
    async with transaction(request.app[POOL]) as tx:
        account = await _load(tx, request)
        await _set_roles(tx, request, account, roles)
        left = await accounts.list_staff(tx)
        if not any(Role.ADMINISTRATOR in person.roles for person in left):
            raise LastAdministrator
    raise web.HTTPSeeOther("/identity/staff/people")


async def end_sessions(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        account = await _load(tx, request)
        actor = str(request[PRINCIPAL].id)
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=request[ARRIVED_AT])
    raise web.HTTPSeeOther(f"/identity/staff/people/{account.id}")


async def forget_second_factor(request: web.Request) -> web.Response:
    """For a lost device: sessions end, and the next sign-in sets up another."""
    async with transaction(request.app[POOL]) as tx:
        account = await _load(tx, request)
        actor = str(request[PRINCIPAL].id)
        await second_factors.forget(tx, account_id=account.id, actor=actor)
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=request[ARRIVED_AT])
    raise web.HTTPSeeOther(f"/identity/staff/people/{account.id}")


ROUTES = [
    web.get("/", first_page),
    web.get("/people", list_people),
    web.get("/people/new", show_invitation),
    web.post("/people/new", invite),
    web.get("/people/{account_id}", show_person),
    web.post("/people/{account_id}/roles", change_roles),
    web.post("/people/{account_id}/sign-out", end_sessions),
    web.post("/people/{account_id}/second-factor-reset", forget_second_factor),
]
