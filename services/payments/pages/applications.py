"""Applying for one's money back, with a reason, proofs, and where to send it (§玖)."""

from typing import Annotated, Literal

from aiohttp import web
from aiohttp.web_request import FileField
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.payments import application_book, applications, order_book, proofs, rules
from services.payments.application_book import Application
from services.payments.applications import (
    MOST_PROOFS,
    AppliedBefore,
    NotAProof,
    NothingToRefund,
    Proof,
    ProofMissing,
    TooLateToApply,
)
from services.payments.order_book import Item, NoSuchOrder, Order
from services.payments.pages import own
from services.payments.payee_form import PayeeForm
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.pictures import PICTURES
from shared.templates import render
from shared.vault import VAULT

# As many proofs of the largest size as may be sent, and the form around them.
BODY_LIMIT = MOST_PROOFS * applications.LARGEST_PROOF_BYTES + 256 * 1024
LONGEST_STATEMENT = 2_000
TOO_LONG = mark("Write this in at most 2,000 characters")


def _statement(text: str) -> str:
    if len(text) > LONGEST_STATEMENT or "\0" in text:
        raise ValueError(TOO_LONG)
    return text


class Grounds(BaseModel):
    """Why money should go back, and what proves it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reason: Annotated[
        Literal["postponed", "disaster", "transport", "military", "health", "family", "other"],
        Says(mark("Choose the reason")),
    ]
    statement: Annotated[str, Says(TOO_LONG), AfterValidator(_statement)] = ""
    proofs: Annotated[list[FileField], Says(NotAProof().sentence)] = Field(default_factory=list)


# What is asked first comes last here: pydantic takes the fields of later parents first.
class ApplicationForm(PayeeForm, Grounds):
    """Why money should go back, what proves it, and to whom it goes."""


async def show_application(request: web.Request) -> web.Response:
    return await _show(request, Form.blank(ApplicationForm))


async def _show(
    request: web.Request, form: Form[ApplicationForm], *, status: int = 200
) -> web.Response:
    registration_id = own.named(request, "registration_id")
    async with transaction(request.app[POOL]) as tx:
        order = await order_book.find_of_registration(
            tx, registration_id=registration_id, account_id=request[PRINCIPAL].id
        )
        if order is None:
            raise NoSuchOrder
        items = await order_book.list_items(tx, order_id=order.id)
        sent = await application_book.list_of_order(tx, order_id=order.id)
    item = next(item for item in items if item.registration_id == registration_id)
    before = [each for each in sent if each.registration_id == registration_id]
    return render(
        request,
        "candidate/show_application.html",
        status=status,
        order=order,
        item=item,
        applications=before,
        obstacle=_find_obstacle(request, order, item, before),
        apply_by=rules.apply_by(item.exam_date, own.ZONE),
        pay_out_by=rules.pay_out_by(item.exam_date, own.ZONE),
        refundable={
            reason: rules.refundable(item.amount_twd, rules.APPLICATION_REASONS[reason])
            for reason in rules.APPLICATION_REASONS
        },
        form=form,
        zone=own.ZONE,
    )


def _find_obstacle(
    request: web.Request, order: Order, item: Item, before: list[Application]
) -> str | None:
    """Say what stands in the way of applying now, if anything does."""
    if any(each.state != "refused" for each in before):
        return "applied"
    if order.state not in {"paid", "partly_refunded"} or not item.amount_twd:
        return "nothing"
    if request[ARRIVED_AT] >= rules.apply_by(item.exam_date, own.ZONE):
        return "late"
    return None


async def apply(request: web.Request) -> web.Response:
    form, proved, status = await _read(request)
    if form.value is None:
        return await _show(request, form, status=status)
    registration_id = own.named(request, "registration_id")
    try:
        async with transaction(request.app[POOL]) as tx:
            await applications.apply(
                tx,
                registration_id=registration_id,
                account_id=request[PRINCIPAL].id,
                reason=form.value.reason,
                statement=form.value.statement,
                payee=form.value.given,
                proofs=proved,
                vault=request.app[VAULT],
                zone=own.ZONE,
                now=request[ARRIVED_AT],
            )
    except ProofMissing as refusal:
        form.add_error("proofs", refusal.sentence)
        return await _show(request, form, status=422)
    except (AppliedBefore, NothingToRefund, TooLateToApply):
        # Sent twice, or too late: the page says which, and what one can do.
        raise web.HTTPSeeOther(f"/payments/applications/{registration_id}") from None
    raise web.HTTPSeeOther(f"/payments/registrations/{registration_id}?applied")


async def _read(request: web.Request) -> tuple[Form[ApplicationForm], list[Proof], int]:
    """Read what was sent; files that cannot be used are an error of the form."""
    form = Form.blank(ApplicationForm)
    status = 413
    # Told before anything is written to disk, if it can be told by then.
    if (request.content_length or 0) <= BODY_LIMIT:
        try:
            form = Form.read(ApplicationForm, posted := await request.post())
            status = 422
            files = [one.file.read() for one in form.value.proofs] if form.value else []
            for field in posted.values():
                if isinstance(field, FileField):
                    field.file.close()
            if form.value is None:
                return form, [], status
            return form, await proofs.clean(files, request.app[PICTURES]), 200
        except (web.HTTPRequestEntityTooLarge, NotAProof):
            pass
    form.add_error("proofs", NotAProof().sentence)
    return form, [], status


ROUTES = [
    web.get("/{registration_id}", show_application),
    web.post("/{registration_id}", apply),
]
