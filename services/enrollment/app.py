"""Enrollment: candidates take places in sittings; registrars run the sittings."""

from pathlib import Path

from services.enrollment import api, commands, crowd, pages, staff
from services.enrollment.api import claims as api_claims
from services.enrollment.api import documents as api_documents
from services.enrollment.api.calls import check_token
from services.enrollment.api.claims import KEYED_CROWD, KeyedCrowd
from services.enrollment.confirmations import CONFIRMATIONS, STACKS
from services.enrollment.consumers import HANDLERS
from services.enrollment.crowd import CROWD
from services.enrollment.document_store import DOCUMENT_STORE, DocumentStore
from services.enrollment.pages.documents import BODY_LIMIT
from services.enrollment.pages.shown import SHOWN, Shown
from services.enrollment.schedule import jobs
from services.enrollment.settings import Settings
from services.enrollment.staff.absences import BODY_LIMIT as ABSENCES_LIMIT
from services.enrollment.staff.entry_imports import BODY_LIMIT as IMPORTS_LIMIT
from shared import guards, run
from shared.auth import Role
from shared.group_commit import GroupCommit, at_once
from shared.lanes import Lanes
from shared.pdf import Pdf
from shared.pictures import PICTURES, Pictures
from shared.vault import VAULT
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    database_url = str(settings.database_url)
    wishes: crowd.Crowd = Lanes("claims", crowd.look, database_url=database_url)
    keyed_wishes: KeyedCrowd = GroupCommit(
        "api claims", at_once(api_claims.settle), database_url=database_url
    )
    registrars = guards.staff(Role.REGISTRAR, Role.ADMINISTRATOR)
    centre_staff = guards.staff(Role.CENTRE, Role.ADMINISTRATOR)
    programs = guards.bearers(check_token)
    papers = HERE / "templates" / "pdf"
    return Service(
        "enrollment",
        settings,
        folder=HERE,
        audiences=[
            Audience(
                "/enrollment/staff/absences/",
                staff.ABSENCE_ROUTES,
                registrars,
                body_limit=ABSENCES_LIMIT,
            ),
            Audience(
                "/enrollment/staff/lists/",
                staff.IMPORT_ROUTES,
                centre_staff,
                body_limit=IMPORTS_LIMIT,
            ),
            Audience("/enrollment/staff/centre/", staff.CENTRE_ROUTES, centre_staff),
            Audience("/enrollment/staff/", staff.ROUTES, registrars),
            Audience(
                "/enrollment/api/documents/",
                api.DOCUMENT_ROUTES,
                programs,
                body_limit=api_documents.BODY_LIMIT,
                operations=api.DOCUMENT_OPERATIONS,
            ),
            Audience("/enrollment/api/", api.ROUTES, programs, operations=api.OPERATIONS),
            Audience("/enrollment/registrations/", pages.REGISTRATION_ROUTES, guards.CANDIDATES),
            Audience(
                "/enrollment/documents/",
                pages.DOCUMENT_ROUTES,
                guards.CANDIDATES,
                body_limit=BODY_LIMIT,
            ),
            Audience("/enrollment/tokens/", pages.TOKEN_ROUTES, guards.CANDIDATES),
            Audience("/enrollment/", pages.ROUTES, guards.EVERYONE),
        ],
        provided={
            CROWD: wishes,
            SHOWN: Shown(),
            KEYED_CROWD: keyed_wishes,
            VAULT: settings.vault,
            DOCUMENT_STORE: DocumentStore(settings),
            CONFIRMATIONS: Pdf(papers),
            STACKS: Pdf(papers),
            PICTURES: Pictures(workers=settings.picture_workers),
        },
        background=[wishes, keyed_wishes],
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
