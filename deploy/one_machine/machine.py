"""The parts that run for a checkout, and how each of them is brought up and taken down."""

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from deploy.one_machine import owners, ports
from deploy.one_machine.checkout import Checkout
from deploy.one_machine.commands import run
from deploy.one_machine.postgres import Postgres
from deploy.one_machine.problems import with_log
from deploy.one_machine.processes import Program
from deploy.one_machine.progress import say
from deploy.one_machine.rabbitmq import RabbitMQ

SERVICES = ("identity", "enrollment", "payments", "scoring", "notify")
WEB_PORT = 8080
SANDBOX_PORT = 8090


class Machine:
    """PostgreSQL, RabbitMQ, the payment sandbox and the services of one checkout."""

    def __init__(self, root: Path) -> None:
        self.checkout = Checkout(root)
        folder = self.checkout.folder
        self.postgres = Postgres(folder / "postgres", self.checkout.port("postgres") or 0)
        self.rabbitmq = RabbitMQ(folder / "rabbitmq", self.checkout.port("rabbitmq") or 0)
        self.sandbox = Program(folder, "sandbox")
        self.services = Program(folder, "services")
        self.setup_log = folder / "setup.log"

    @property
    def programs(self) -> dict[str, Program]:
        return {
            "postgres": self.postgres.program,
            "rabbitmq": self.rabbitmq.program,
            "sandbox": self.sandbox,
            "services": self.services,
        }

    @property
    def url(self) -> str:
        return f"http://localhost:{self.checkout.port('services') or WEB_PORT}"

    @property
    def sandbox_url(self) -> str:
        return f"http://localhost:{self.checkout.port('sandbox') or SANDBOX_PORT}"

    def choose_server_ports(self) -> None:
        """The remembered ports, or others where somebody else has taken these meanwhile."""
        for server in (self.postgres, self.rabbitmq):
            if not server.program.process:
                server.port = self._server_port(server.program.name)

    def choose_web_ports(self) -> None:
        """The well-known ports, or the next ones that are free."""
        for program, wanted in ((self.sandbox, SANDBOX_PORT), (self.services, WEB_PORT)):
            if program.process:
                continue
            port = ports.next_free(wanted)
            if port != wanted:
                say(f"  Port {wanted} is taken by another program: {port} for the {program.name}.")
            self.checkout.remember_port(program.name, port)

    def start_servers(self) -> None:
        """Start PostgreSQL and RabbitMQ side by side and wait until both are ready."""
        self.postgres.start()
        self.rabbitmq.start()
        self.postgres.wait_ready()
        self.rabbitmq.wait_ready()

    def stop_servers(self) -> None:
        self.rabbitmq.stop()
        self.postgres.stop()

    def start_services(self) -> None:
        """Start the sandbox and all five services in one process, and wait until they answer."""
        for module, program in (("sandbox", self.sandbox), ("all_in_one", self.services)):
            if not program.process:
                program.start(
                    [sys.executable, "-m", f"deploy.{module}"],
                    environment=self.environment(),
                    folder=self.checkout.root,
                )
        self._wait(self.sandbox, f"{self.sandbox_url}/healthz")
        self._wait(self.services, f"{self.url}/readyz")

    def is_ready(self) -> bool:
        """Whether every part runs and the services answer."""
        running = all(program.process for program in self.programs.values())
        return running and self.services_answer(patience=0)

    def services_answer(self, patience: float) -> bool:
        """Whether the services are ready, or become so: a lost server is found again by itself."""
        deadline = time.monotonic() + patience
        while not _answers_ok(f"{self.url}/readyz"):
            if not self.services.process or time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
        return True

    def run_module(self, *words: str) -> str:
        """Run one of our modules to its end; what it printed."""
        done = run(
            [sys.executable, "-m", *words],
            folder=self.checkout.root,
            environment=self.environment(),
        )
        with self.setup_log.open("a") as log:
            log.write(done.stderr)
        if done.returncode:
            raise with_log(f"`python -m {' '.join(words)}` failed.", self.setup_log, 15)
        return done.stdout

    def environment(self) -> dict[str, str]:
        """What the services of this checkout read their settings from."""
        databases = {
            f"{name.upper()}_DATABASE_URL": self.postgres.database_url(name) for name in SERVICES
        }
        return {
            **os.environ,
            **databases,
            "EXAMHALL_AMQP_URL": self.rabbitmq.url,
            "EXAMHALL_SECRET_KEY": self.checkout.secret_key(),
            "EXAMHALL_HOST": "127.0.0.1",
            "EXAMHALL_PORT": str(self.checkout.port("services") or WEB_PORT),
            "EXAMHALL_PUBLIC_URL": self.url,
            "ENROLLMENT_DOCUMENTS_URL": (self.checkout.folder / "documents").as_uri(),
            "NOTIFY_CHANNEL": "mailbox",  # no letter leaves this machine
            "SANDBOX_HOST": "127.0.0.1",
            "SANDBOX_PORT": str(self.checkout.port("sandbox") or SANDBOX_PORT),
            "SANDBOX_URL": self.sandbox_url,
            "SANDBOX_FOLDER": str(self.checkout.folder / "sandbox"),
            **self._issuer(),
            **self._payment_providers(),
        }

    def _issuer(self) -> dict[str, str]:
        """How people sign in with Google: at the sandbox, unless an issuer was named."""
        if "IDENTITY_OIDC_ISSUER" in os.environ:
            return {}
        client = {"ID": "examhall", "SECRET": "known to everybody on this machine"}
        return {
            "IDENTITY_OIDC_ISSUER": f"{self.sandbox_url}/oidc",
            "SANDBOX_OIDC_REDIRECT": f"{self.url}/identity/google/callback",
            **{f"IDENTITY_OIDC_CLIENT_{name}": value for name, value in client.items()},
            **{f"SANDBOX_OIDC_CLIENT_{name}": value for name, value in client.items()},
        }

    def _payment_providers(self) -> dict[str, str]:
        """Where people pay: at the sandbox, unless somebody else was named."""
        if "PAYMENTS_ECPAY_URL" in os.environ:
            return {}
        channel = {"ID": "1234567890", "SECRET": "known to everybody on this machine"}
        return {
            "PAYMENTS_ECPAY_URL": f"{self.sandbox_url}/ecpay",
            "PAYMENTS_ECPAY_CASHIER_URL": f"{self.sandbox_url}/ecpay",
            # The merchant that ECPay publishes for tests.
            "PAYMENTS_ECPAY_MERCHANT_ID": "3002607",
            "PAYMENTS_ECPAY_HASH_KEY": "pwFHCqoQZGmho4w6",
            "PAYMENTS_ECPAY_HASH_IV": "EkRm7iFT261dpevs",
            "PAYMENTS_LINE_PAY_URL": f"{self.sandbox_url}/line-pay",
            **{f"PAYMENTS_LINE_PAY_CHANNEL_{name}": value for name, value in channel.items()},
            **{f"SANDBOX_LINE_PAY_CHANNEL_{name}": value for name, value in channel.items()},
        }

    def test_environment(self) -> dict[str, str]:
        """Where the tests find the servers."""
        return {
            **os.environ,
            "EXAMHALL_TEST_POSTGRES": self.postgres.url,
            "EXAMHALL_TEST_AMQP": self.rabbitmq.url,
        }

    def remove(self) -> None:
        """Delete the data of everything; nothing runs any more."""
        self.postgres.remove()
        self.rabbitmq.remove()
        owners.remove_folder(self.checkout.folder)

    def _server_port(self, name: str) -> int:
        port = self.checkout.server_port(name)
        if not ports.is_free(port):
            taken, port = port, ports.any_free()
            say(f"  Port {taken} of {name} is taken by another program; it moves to {port}.")
            self.checkout.remember_port(name, port)
        return port

    def _wait(self, program: Program, url: str, patience: float = 60) -> None:
        deadline = time.monotonic() + patience
        while not _answers_ok(url):
            if not program.process:
                raise with_log(f"{program.name} ended as soon as it was started.", program.log, 15)
            if time.monotonic() > deadline:
                raise with_log(f"{url} did not answer within {patience:.0f} s.", program.log, 15)
            time.sleep(0.1)


def _answers_ok(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
