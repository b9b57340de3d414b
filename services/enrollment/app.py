"""Enrollment: candidates take places in sittings; registrars run the sittings."""

from pathlib import Path

from services.enrollment import commands, crowd, pages, staff
from services.enrollment.consumers import HANDLERS
from services.enrollment.crowd import CROWD
from services.enrollment.document_store import DOCUMENT_STORE, DocumentStore
from services.enrollment.pages.documents import BODY_LIMIT
from services.enrollment.pictures import PICTURES, Pictures
from services.enrollment.schedule import jobs
from services.enrollment.settings import Settings
from shared import guards, run
from shared.auth import Role
from shared.group_commit import GroupCommit
from shared.vault import VAULT
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    wishes: crowd.Crowd = GroupCommit(
        "claims", crowd.settle, database_url=str(settings.database_url)
    )
    return Service(
        "enrollment",
        settings,
        folder=HERE,
        audiences=[
            Audience(
                "/enrollment/staff/", staff.ROUTES, guards.staff(Role.REGISTRAR, Role.ADMINISTRATOR)
            ),
            Audience("/enrollment/registrations/", pages.REGISTRATION_ROUTES, guards.CANDIDATES),
            Audience(
                "/enrollment/documents/",
                pages.DOCUMENT_ROUTES,
                guards.CANDIDATES,
                body_limit=BODY_LIMIT,
            ),
            Audience("/enrollment/", pages.ROUTES, guards.EVERYONE),
        ],
        provided={
            CROWD: wishes,
            VAULT: settings.vault,
            DOCUMENT_STORE: DocumentStore(settings),
            PICTURES: Pictures(workers=settings.picture_workers),
        },
        background=[wishes],
    )


def create_worker(settings: Settings) -> Worker:
    return Worker("enrollment", settings, folder=HERE, handlers=HANDLERS, jobs=jobs(settings))


ENTRY = run.Entry(
    "enrollment",
    Settings,
    create_app,
    create_worker,
    folder=HERE,
    commands=commands.COMMANDS,
    fill=commands.prepare,
)

if __name__ == "__main__":
    run.main(ENTRY)
