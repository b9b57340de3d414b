"""The front page of the results service: register or log in; help, and the terms."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, SecretStr

from services.identity import results_accounts
from services.identity.pages.handover import begin_session, own_page
from services.identity.pages.proving import Sentences, check_password
from services.identity.results_accounts import ResultsAccount, sign_in_name
from shared.db import POOL, Tx, transaction
from shared.entry_numbers import read_id_number
from shared.forms import WHOLE_FORM, Form, Says
from shared.i18n import mark
from shared.templates import render

LONGEST_KEPT = 40  # of what somebody typed for an ID number
RESULTS = "/scoring/"
WELCOME = "/identity/results/"

SAYS = Sentences(
    wrong=mark("Unable to authenticate user. Please check your details and try again."),
    locked=mark(
        "A wrong password was entered more than three times. You will not be able to log on for 30"
        " minutes."
    ),
)
NOTICES = {
    "registered": mark("Registration successful"),
    "password": mark("Your password was changed. Log in with it now."),
    "address": mark("Your e-mail address was changed."),
}


class LogIn(BaseModel):
    """What logging in takes: the password chosen when registering, not the secret number."""

    id_number: Annotated[str, Says(mark("Enter your ID Number"))]
    password: Annotated[SecretStr, Says(mark("Enter your password"))]
    next: str = RESULTS


async def show_welcome(request: web.Request) -> web.Response:
    next_page = own_page(request.query.get("next", ""), otherwise=RESULTS)
    return _show(request, Form.blank(LogIn, next=next_page))


async def log_in(request: web.Request) -> web.Response:
    form = Form.read(LogIn, await request.post())
    if form.value is None:
        return _show(request, form)
    account, refusal = await _check(request, form.value)
    if account is None:
        form.add_error(WHOLE_FORM, refusal)
        return _show(request, form)
    response = web.HTTPSeeOther(own_page(form.value.next, otherwise=RESULTS))
    async with transaction(request.app[POOL]) as tx:
        await begin_session(tx, request, response, account)
    raise response


async def _check(request: web.Request, typed: LogIn) -> tuple[ResultsAccount | None, str]:
    # What cannot be an ID number is nobody's, and is answered like one.
    nobodys = "".join(filter(str.isalnum, typed.id_number))[:LONGEST_KEPT]
    id_number = read_id_number(typed.id_number) or nobodys

    async def find(tx: Tx) -> ResultsAccount | None:
        return await results_accounts.find_by_id_number(tx, id_number=id_number)

    password = typed.password.get_secret_value()
    name = sign_in_name(id_number)
    return await check_password(request, password, name=name, find=find, says=SAYS)


def _show(request: web.Request, form: Form[LogIn]) -> web.Response:
    notice = next((NOTICES[name] for name in request.query if name in NOTICES), None)
    status = 422 if form.errors else 200
    return render(request, "results/welcome.html", status=status, form=form, notice=notice)


async def show_help(request: web.Request) -> web.Response:
    return render(request, "results/help.html")


async def show_terms(request: web.Request) -> web.Response:
    return render(request, "results/terms.html")


ROUTES = [
    web.get("/results/", show_welcome),
    web.post("/results/", log_in),
    web.get("/results/help", show_help),
    web.get("/results/terms", show_terms),
]
