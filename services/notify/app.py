"""Notify: a letter that is owed is delivered, once."""

from datetime import timedelta
from pathlib import Path

from services.notify import hooks, sender
from services.notify.consumers import HANDLERS
from services.notify.hooks import BOUNCE_SECRET, REPORTS_KEPT_FOR
from services.notify.mail import Writer
from services.notify.pages import mailbox, public
from services.notify.schedule import jobs
from services.notify.sender import Sender
from services.notify.settings import Settings
from services.notify.staff import letters, mailings, overview, undeliverable
from services.notify.staff.letters import WRITER
from shared import guards, run
from shared.auth import Role
from shared.web import Audience, Service
from shared.worker import Worker

HERE = Path(__file__).parent


def create_app(settings: Settings) -> Service:
    staff_routes = [*overview.ROUTES, *letters.ROUTES, *undeliverable.ROUTES]
    service = Service(
        "notify",
        settings,
        folder=HERE,
        audiences=[
            Audience(
                "/notify/staff/mailings/",
                mailings.ROUTES,
                guards.staff(Role.RELEASER, Role.ADMINISTRATOR),
            ),
            Audience("/notify/staff/", staff_routes, guards.staff(Role.ADMINISTRATOR)),
            *_local(settings),
            *_reporting(settings),
            Audience("/notify/", public.ROUTES, guards.EVERYONE),
        ],
        provided={WRITER: create_writer(settings)},
    )
    if settings.bounce_secret:
        service.provided |= {
            BOUNCE_SECRET: settings.bounce_secret.get_secret_value().encode(),
            REPORTS_KEPT_FOR: timedelta(days=settings.keep_letters_days),
        }
    return service


def _local(settings: Settings) -> list[Audience]:
    """The mailbox of one machine. Where letters go out, there is no such address."""
    if settings.channel != "mailbox":
        return []
    return [Audience("/notify/mailbox/", mailbox.ROUTES, guards.EVERYONE)]


def _reporting(settings: Settings) -> list[Audience]:
    """Where mail servers report. Without a secret nobody could be told from a forger."""
    if settings.bounce_secret is None:
        return []
    return [Audience("/notify/hooks/", hooks.ROUTES, guards.MACHINES, operations=hooks.OPERATIONS)]


def create_writer(settings: Settings) -> Writer:
    return Writer(
        folder=HERE,
        sender=settings.sender_address,
        reply_to=settings.reply_to_address,
        return_path=settings.return_address,
        public_url=str(settings.public_url),
        zone=settings.time_zone,
    )


def create_worker(settings: Settings) -> Worker:
    channel = sender.CHANNELS[settings.channel](settings)
    return Worker(
        "notify",
        settings,
        folder=HERE,
        handlers=HANDLERS,
        jobs=jobs(settings),
        background=[Sender(settings, create_writer(settings), channel)],
    )


ENTRY = run.Entry("notify", Settings, create_app, create_worker, folder=HERE)

if __name__ == "__main__":
    run.main(ENTRY)
