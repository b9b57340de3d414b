"""Notify: a letter that is owed is delivered, once."""

from pathlib import Path

from services.notify import pages, staff
from services.notify.consumers import HANDLERS
from services.notify.settings import Settings
from shared import guards, run
from shared.auth import Role
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    return Service(
        "notify",
        settings,
        folder=HERE,
        audiences=[
            Audience("/notify/staff/", staff.ROUTES, guards.staff(Role.ADMINISTRATOR)),
            Audience("/notify/", pages.ROUTES, guards.EVERYONE),
        ],
    )


def create_worker(settings: Settings) -> Worker:
    return Worker("notify", settings, folder=HERE, handlers=HANDLERS)


ENTRY = run.Entry("notify", Settings, create_app, create_worker, folder=HERE)

if __name__ == "__main__":
    run.main(ENTRY)
