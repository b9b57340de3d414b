"""Scoring: scores become results, and results become visible at one instant."""

from pathlib import Path

from services.scoring import pages
from services.scoring.consumers import HANDLERS
from services.scoring.pages.asked import CROWD, Crowd, settle
from services.scoring.pages.paper import STATEMENTS
from services.scoring.pages.results import SIGNER
from services.scoring.schedule import JOBS
from services.scoring.settings import Settings
from services.scoring.staff import (
    changes,
    correcting,
    marks,
    organisations,
    overview,
    people,
    preview,
    release,
)
from services.scoring.statement_keys import Signer
from shared import guards, run
from shared.auth import Role
from shared.group_commit import GroupCommit, at_once
from shared.pdf import Pdf
from shared.vault import VAULT
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    crowd: Crowd = GroupCommit(
        "looks", at_once(settle), database_url=str(settings.database_url), is_reading=True
    )
    return Service(
        "scoring",
        settings,
        folder=HERE,
        audiences=[
            Audience(
                "/scoring/staff/marks/",
                marks.ROUTES,
                guards.staff(Role.EXAMINER),
                body_limit=marks.BODY_LIMIT,
            ),
            Audience(
                "/scoring/staff/candidates/",
                [*people.ROUTES, *correcting.ROUTES],
                guards.staff(Role.EXAMINER),
            ),
            Audience(
                "/scoring/staff/results/",
                [*preview.ROUTES, *changes.ROUTES],
                guards.staff(Role.EXAMINER, Role.RELEASER),
            ),
            Audience("/scoring/staff/release/", release.ROUTES, guards.staff(Role.RELEASER)),
            Audience(
                "/scoring/staff/organisations/",
                organisations.ROUTES,
                guards.staff(Role.ADMINISTRATOR),
            ),
            Audience(
                "/scoring/staff/",
                overview.ROUTES,
                guards.staff(Role.EXAMINER, Role.RELEASER, Role.ADMINISTRATOR),
            ),
            Audience("/scoring/results/", pages.RESULT_ROUTES, guards.CANDIDATES),
            Audience("/scoring/verification/", pages.VERIFICATION_ROUTES, guards.CANDIDATES),
            Audience("/scoring/", pages.ROUTES, guards.EVERYONE),
        ],
        provided={
            CROWD: crowd,
            SIGNER: Signer(settings.vault),
            VAULT: settings.vault,
            STATEMENTS: Pdf(HERE / "templates" / "pdf"),
        },
        background=[crowd],
    )


def create_worker(settings: Settings) -> Worker:
    return Worker("scoring", settings, folder=HERE, handlers=HANDLERS, jobs=JOBS)


ENTRY = run.Entry("scoring", Settings, create_app, create_worker, folder=HERE)

if __name__ == "__main__":
    run.main(ENTRY)
