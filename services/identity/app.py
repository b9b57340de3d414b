"""Identity: accounts, sessions, and the front door of the site."""

from pathlib import Path

from services.identity import api, pages, staff
from services.identity.commands import COMMANDS
from services.identity.consumers import HANDLERS
from services.identity.pages import VAULT
from services.identity.passwords import PASSWORDS, Passwords
from services.identity.schedule import jobs
from services.identity.settings import Settings
from shared import guards, run
from shared.auth import Role
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    return Service(
        "identity",
        settings,
        folder=HERE,
        audiences=[
            Audience("/identity/staff/", staff.ROUTES, guards.staff(Role.ADMINISTRATOR)),
            Audience("/identity/api/", api.ROUTES, guards.MACHINES, operations=api.OPERATIONS),
            Audience("/identity/", pages.ROUTES, guards.EVERYONE),
        ],
        front=Audience("/", pages.FRONT, guards.EVERYONE),
        provided={
            VAULT: settings.vault,
            PASSWORDS: Passwords(workers=settings.password_workers),
        },
    )


def create_worker(settings: Settings) -> Worker:
    return Worker("identity", settings, folder=HERE, handlers=HANDLERS, jobs=jobs(settings))


ENTRY = run.Entry("identity", Settings, create_app, create_worker, folder=HERE, commands=COMMANDS)

if __name__ == "__main__":
    run.main(ENTRY)
