"""Payments: what is owed, how it is paid, and a ledger of every dollar."""

from pathlib import Path

from services.payments import pages, staff
from services.payments.consumers import HANDLERS
from services.payments.settings import Settings
from shared import guards, run
from shared.auth import Role
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    return Service(
        "payments",
        settings,
        folder=HERE,
        audiences=[
            Audience(
                "/payments/staff/", staff.ROUTES, guards.staff(Role.FINANCE, Role.ADMINISTRATOR)
            ),
            Audience("/payments/", pages.ROUTES, guards.EVERYONE),
        ],
    )


def create_worker(settings: Settings) -> Worker:
    return Worker("payments", settings, folder=HERE, handlers=HANDLERS)


ENTRY = run.Entry("payments", Settings, create_app, create_worker, folder=HERE)

if __name__ == "__main__":
    run.main(ENTRY)
