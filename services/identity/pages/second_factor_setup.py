"""Setting up the second factor: staff, at the first sign-in or after a lost device."""

from aiohttp import web
from markupsafe import Markup

from services.identity import second_factors
from services.identity.accounts import Account
from services.identity.pages.handover import (
    begin_session,
    drop_step,
    find_step,
    keep_step,
)
from services.identity.pages.signing_in import STEP, STEP_LASTS, WRONG_CODE, Code, load_step
from shared.codes import qr
from shared.db import POOL, transaction
from shared.forms import Form
from shared.observe import ARRIVED_AT
from shared.templates import render
from shared.vault import VAULT

# The secret that is being set up: in the browser, encrypted, until a first code proves it.
NEW = "second-factor-secret"
PAGE = "public/second_factor_new.html"


async def show_setup(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        account, _ = await load_step(tx, request)
    # The same secret again when the page is loaded again: the app may have read it already.
    secret = find_step(request, NEW) or second_factors.new_secret()
    response = _show(request, Form.blank(Code), account, secret)
    keep_step(request, response, NEW, secret, lasts=STEP_LASTS)
    return response


async def set_up(request: web.Request) -> web.Response:
    form = Form.read(Code, await request.post())
    now = request[ARRIVED_AT]
    secret = find_step(request, NEW)
    if secret is None:
        raise web.HTTPSeeOther("/identity/second-factor/new")
    async with transaction(request.app[POOL]) as tx:
        account, next_page = await load_step(tx, request)
        response = web.HTTPSeeOther(next_page)
        step = second_factors.find_step(secret, form.value.code, now=now) if form.value else None
        if form.value is not None and step is None:
            form.add_error("code", WRONG_CODE)
        elif step is not None:
            stored = await second_factors.set_up(
                tx,
                account_id=account.id,
                secret=secret,
                step=step,
                vault=request.app[VAULT],
            )
            if not stored:  # set up elsewhere meanwhile: that one counts
                raise web.HTTPSeeOther("/identity/second-factor")
            await begin_session(tx, request, response, account)
    if form.errors:
        return _show(request, form, account, secret)
    drop_step(request, response, STEP)
    drop_step(request, response, NEW)
    raise response


def _show(request: web.Request, form: Form[Code], account: Account, secret: str) -> web.Response:
    drawn = qr(second_factors.address(secret, email=account.email))
    return render(
        request,
        PAGE,
        status=422 if form.errors else 200,
        form=form,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=Markup(drawn),  # noqa: S704 (squares: no text in it)
    )


ROUTES = [
    web.get("/second-factor/new", show_setup),
    web.post("/second-factor/new", set_up),
]
