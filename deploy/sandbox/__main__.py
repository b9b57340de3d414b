"""Starts the sandbox: python -m deploy.sandbox"""

import contextlib
import tempfile
from pathlib import Path

from aiohttp import web

from deploy.sandbox.app import create_app
from deploy.sandbox.bank import Bank
from deploy.sandbox.issuer import Issuer
from deploy.sandbox.settings import Settings

# Less than the time a container is given to end.
SHUTDOWN_SECONDS = 10


def main() -> None:
    settings = Settings()
    with contextlib.ExitStack() as stack:
        folder = settings.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-")))
        web.run_app(
            create_app(
                bank=Bank(folder, url=settings.url, rules=settings.rules),
                issuer=Issuer(url=settings.issuer_url, client=settings.client),
            ),
            host=settings.host,
            port=settings.port,
            shutdown_timeout=SHUTDOWN_SECONDS,
            access_log=None,
            handle_signals=True,
        )


if __name__ == "__main__":
    main()
