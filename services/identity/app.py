"""Identity: accounts, sessions, and the front door of the site."""

from pathlib import Path

from services.identity import api, pages, staff
from services.identity.commands import COMMANDS
from services.identity.consumers import HANDLERS
from services.identity.oidc import Issuer
from services.identity.pages.google import ISSUER
from services.identity.passwords import PASSWORDS, Passwords
from services.identity.schedule import jobs
from services.identity.settings import Settings
from shared import guards, run
from shared.auth import Role
from shared.vault import VAULT
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    service = Service(
        "identity",
        settings,
        folder=HERE,
        audiences=[
            Audience("/identity/staff/", staff.ROUTES, guards.staff(Role.ADMINISTRATOR)),
            Audience("/identity/api/", api.ROUTES, guards.MACHINES, operations=api.OPERATIONS),
            Audience("/identity/account/", pages.ACCOUNT_ROUTES, guards.SIGNED_IN),
            Audience("/identity/results/details/", pages.DETAILS_ROUTES, guards.CANDIDATES),
            Audience("/identity/", pages.ROUTES, guards.EVERYONE),
        ],
        front=Audience("/", pages.FRONT, guards.EVERYONE),
        provided={
            VAULT: settings.vault,
            PASSWORDS: Passwords(workers=settings.password_workers),
        },
    )
    if settings.oidc_issuer is not None:
        service.provided[ISSUER] = Issuer(
            issuer=str(settings.oidc_issuer),
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            redirect_url=f"{str(settings.public_url).rstrip('/')}/identity/google/callback",
        )
    return service


def create_worker(settings: Settings) -> Worker:
    return Worker("identity", settings, folder=HERE, handlers=HANDLERS, jobs=jobs(settings))


ENTRY = run.Entry("identity", Settings, create_app, create_worker, folder=HERE, commands=COMMANDS)

if __name__ == "__main__":
    run.main(ENTRY)
