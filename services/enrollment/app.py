"""Enrollment: candidates take places in sittings; registrars run the sittings."""

from pathlib import Path

from services.enrollment import commands, crowd, pages
from services.enrollment.consumers import HANDLERS
from services.enrollment.crowd import CROWD
from services.enrollment.pages.shown import SHOWN, Shown
from services.enrollment.schedule import JOBS
from services.enrollment.settings import Settings
from services.enrollment.staff import levels, overview, programmes, sittings, windows
from shared import guards, run
from shared.auth import Role
from shared.group_commit import GroupCommit
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    staff_routes = [
        *overview.ROUTES,
        *programmes.ROUTES,
        *levels.ROUTES,
        *sittings.ROUTES,
        *windows.ROUTES,
    ]
    wishes: crowd.Crowd = GroupCommit(
        "claims", crowd.settle, database_url=str(settings.database_url)
    )
    return Service(
        "enrollment",
        settings,
        folder=HERE,
        audiences=[
            Audience(
                "/enrollment/staff/", staff_routes, guards.staff(Role.REGISTRAR, Role.ADMINISTRATOR)
            ),
            Audience("/enrollment/registrations/", pages.REGISTRATION_ROUTES, guards.CANDIDATES),
            Audience("/enrollment/", pages.ROUTES, guards.EVERYONE),
        ],
        provided={CROWD: wishes, SHOWN: Shown()},
        background=[wishes],
    )


def create_worker(settings: Settings) -> Worker:
    return Worker("enrollment", settings, folder=HERE, handlers=HANDLERS, jobs=JOBS)


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
