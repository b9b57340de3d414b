"""Starts the sandbox: python -m deploy.sandbox"""

from aiohttp import web

from deploy.sandbox.app import create_app
from deploy.sandbox.issuer import Issuer
from deploy.sandbox.settings import Settings

# Less than the time a container is given to end.
SHUTDOWN_SECONDS = 10


def main() -> None:
    settings = Settings()
    web.run_app(
        create_app(issuer=Issuer(url=settings.issuer_url, client=settings.client)),
        host=settings.host,
        port=settings.port,
        shutdown_timeout=SHUTDOWN_SECONDS,
        access_log=None,
        handle_signals=True,
    )


if __name__ == "__main__":
    main()
