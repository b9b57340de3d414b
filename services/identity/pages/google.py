"""Signing in with Google, or with whichever OpenID Connect issuer is configured."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated

import structlog
from aiohttp import web
from pydantic import BaseModel, SecretStr

from services.identity import accounts, oidc
from services.identity.accounts import Account
from services.identity.oidc import Attempt, Issuer, Proof
from services.identity.pages.handover import drop_step, find_step, keep_step, own_page
from services.identity.pages.signing_in import WRONG, check, go_on
from services.identity.rules import LONGEST_NAME, find_address_fault
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage, Refused
from shared.forms import Form, Says
from shared.guards import SIGN_IN
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.templates import render

log = structlog.get_logger()

ISSUER = web.AppKey("issuer", Issuer)
ATTEMPT = "oidc-attempt"
PROOF = "oidc-proof"
LASTS = timedelta(minutes=10)
WRONG_HERE = mark("This is not the password of this account")


class NotConfirmed(Refused):
    """Google did not confirm who you are. Please try again, or sign in with your password."""

    status = 403


class NotVerified(Refused):
    """Google has not verified your e-mail address. Verify it there, or sign up with a password."""

    status = 403


class IssuerSilent(Refused):
    """Google does not answer at present. Please try again later, or sign in with your password."""

    status = 503
    retry_after_seconds = 60


class Present(BaseModel):
    """The password of the account that is to be linked."""

    password: Annotated[SecretStr, Says(mark("Enter your password"))]


def _issuer(request: web.Request) -> Issuer:
    issuer = request.app.get(ISSUER)
    if issuer is None:
        raise NoSuchPage
    return issuer


async def start(request: web.Request) -> web.Response:
    attempt = oidc.new_attempt()
    try:
        address = await _issuer(request).start_address(attempt)
    except oidc.IssuerUnavailable as error:
        log.warning("issuer unavailable", reason=str(error))
        raise IssuerSilent from error
    response = web.HTTPSeeOther(address)
    kept = asdict(attempt) | {"next": own_page(request.query.get("next", ""))}
    keep_step(request, response, ATTEMPT, json.dumps(kept, ensure_ascii=False), lasts=LASTS)
    raise response


async def come_back(request: web.Request) -> web.Response:
    """Sign in whoever the issuer vouches for; link a known address only after proof."""
    kept = json.loads(find_step(request, ATTEMPT) or "null")
    if kept is None:
        raise NotConfirmed
    next_page = kept.pop("next")
    proof = await _prove(request, Attempt(**kept))
    async with transaction(request.app[POOL]) as tx:
        account = await accounts.find_linked(tx, issuer=proof.issuer, subject=proof.subject)
        known = account or await accounts.find_by_email(tx, email=proof.email)
        if known is None:
            account = await _open(tx, request, proof)
    if account is not None:
        response = await go_on(request, account, next_page=next_page)
    else:
        # The address is known here: being able to sign in there is not enough to get in here.
        response = web.HTTPSeeOther("/identity/google/link")
        # Without what is only needed to open an account: the place in a cookie is small.
        kept = asdict(replace(proof, name="")) | {"next": next_page}
        keep_step(request, response, PROOF, json.dumps(kept, ensure_ascii=False), lasts=LASTS)
    drop_step(request, response, ATTEMPT)
    raise response


async def _prove(request: web.Request, attempt: Attempt) -> Proof:
    try:
        proof = await _issuer(request).prove(attempt, request.query)
    except oidc.NotProved as error:
        log.warning("sign-in not proved", reason=str(error))
        raise NotConfirmed from error
    except oidc.IssuerUnavailable as error:
        log.warning("issuer unavailable", reason=str(error))
        raise IssuerSilent from error
    if not proof.email_verified or find_address_fault(proof.email):
        raise NotVerified
    name = proof.name.strip()[:LONGEST_NAME]
    usable = name if name.isprintable() else ""
    return replace(proof, name=usable or proof.email.partition("@")[0])


async def _open(tx: Tx, request: web.Request, proof: Proof) -> Account:
    """Open an account for somebody new: the issuer has verified the address."""
    now = request[ARRIVED_AT]
    account_id = await accounts.open_(
        tx,
        email=proof.email,
        person=proof.name,
        language=language_of(request),
        password_hash=None,
        roles=(),
        actor="google",
        now=now,
    )
    account = await accounts.find(tx, account_id=account_id)
    assert account is not None
    await accounts.link(tx, account=account, issuer=proof.issuer, subject=proof.subject, now=now)
    return account


def _load_proof(request: web.Request) -> tuple[Proof, str]:
    kept = json.loads(find_step(request, PROOF) or "null")
    if kept is None:
        raise web.HTTPSeeOther(SIGN_IN)
    next_page = kept.pop("next")
    return Proof(**kept), next_page


async def show_link(request: web.Request) -> web.Response:
    proof, _ = _load_proof(request)
    return render(request, "public/google_link.html", form=Form.blank(Present), email=proof.email)


async def link(request: web.Request) -> web.Response:
    proof, next_page = _load_proof(request)
    form = Form.read(Present, await request.post())
    account = None
    if form.value is not None:
        password = form.value.password.get_secret_value()
        account, refusal = await check(request, proof.email, password)
        if account is None:
            # The address is no question here.
            form.add_error("password", WRONG_HERE if refusal == WRONG else refusal)
    if account is None:
        return render(request, "public/google_link.html", status=422, form=form, email=proof.email)
    async with transaction(request.app[POOL]) as tx:
        await accounts.link(
            tx,
            account=account,
            issuer=proof.issuer,
            subject=proof.subject,
            now=request[ARRIVED_AT],
        )
    response = await go_on(request, account, next_page=next_page)
    drop_step(request, response, PROOF)
    raise response


ROUTES = [
    web.get("/google", start),
    web.get("/google/callback", come_back),
    web.get("/google/link", show_link),
    web.post("/google/link", link),
]
