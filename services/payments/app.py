"""Payments: what is owed, how it is paid, and a ledger of every dollar."""

from pathlib import Path

from services.payments import hooks, pages
from services.payments.cashier import CASHIER, Cashier
from services.payments.commands import COMMANDS
from services.payments.consumers import HANDLERS
from services.payments.hooks import DESK, SETTLING, Notices
from services.payments.pages.applications import BODY_LIMIT
from services.payments.pages.papers import PAPERS
from services.payments.schedule import jobs
from services.payments.settings import Settings
from services.payments.staff import (
    applications,
    money,
    money_acts,
    orders,
    overview,
    payees,
    reconciliation,
    reconciliation_acts,
    refund_acts,
    refunds,
    totals,
    uploads,
)
from services.payments.ways import create_desk, create_ways
from shared import guards, run
from shared.auth import Role
from shared.group_commit import at_once
from shared.lanes import Lanes
from shared.pdf import Pdf
from shared.pictures import PICTURES, Pictures
from shared.vault import VAULT
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent

# What finance and administrators look at,
STAFF_ROUTES = [
    *overview.ROUTES,
    *orders.ROUTES,
    *money.ROUTES,
    *refunds.ROUTES,
    *reconciliation.ROUTES,
    *totals.ROUTES,
]
# and what finance alone does, and reads.
DESK_ROUTES = [
    *money_acts.ROUTES,
    *refund_acts.ROUTES,
    *payees.ROUTES,
    *applications.ROUTES,
    *reconciliation_acts.ROUTES,
]


def create_app(settings: Settings) -> Service:
    notices: Notices = Lanes(
        "payment notices", at_once(hooks.settle), database_url=str(settings.database_url)
    )
    service = Service(
        "payments",
        settings,
        folder=HERE,
        audiences=[
            Audience(
                "/payments/staff/uploads/",
                uploads.ROUTES,
                guards.staff(Role.FINANCE),
                body_limit=uploads.BODY_LIMIT,
            ),
            Audience("/payments/staff/desk/", DESK_ROUTES, guards.staff(Role.FINANCE)),
            Audience(
                "/payments/staff/", STAFF_ROUTES, guards.staff(Role.FINANCE, Role.ADMINISTRATOR)
            ),
            Audience(
                "/payments/hooks/",
                hooks.ROUTES,
                guards.MACHINES,
                operations=hooks.OPERATIONS,
            ),
            Audience("/payments/orders/", pages.ORDER_ROUTES, guards.CANDIDATES),
            Audience("/payments/registrations/", pages.REGISTRATION_ROUTES, guards.CANDIDATES),
            Audience(
                "/payments/applications/",
                pages.APPLICATION_ROUTES,
                guards.CANDIDATES,
                body_limit=BODY_LIMIT,
            ),
            Audience("/payments/", pages.ROUTES, guards.EVERYONE),
        ],
        provided={
            CASHIER: Cashier(create_ways(settings)),
            SETTLING: notices,
            PAPERS: Pdf(HERE / "templates" / "pdf"),
            # A proof may be as small as it likes.
            PICTURES: Pictures(workers=1, of_any_size=True),
            VAULT: settings.vault,
        },
        background=[notices],
    )
    if desk := create_desk(settings):
        service.provided[DESK] = desk
    return service


def create_worker(settings: Settings) -> Worker:
    cashier = Cashier(create_ways(settings))
    return Worker("payments", settings, folder=HERE, handlers=HANDLERS, jobs=jobs(cashier))


ENTRY = run.Entry("payments", Settings, create_app, create_worker, folder=HERE, commands=COMMANDS)

if __name__ == "__main__":
    run.main(ENTRY)
