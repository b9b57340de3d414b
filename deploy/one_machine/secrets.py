"""Passwords and keys, made once and kept in files."""

import base64
import os
import sys
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from urllib.parse import urlsplit

FOR_CONTAINERS = Path(__file__).parents[1] / "secrets"
SERVICES = ("identity", "enrollment", "payments", "scoring", "notify")


def make_secrets(folder: Path) -> None:
    """Make what is missing of the secrets that docker-compose.yml hands to its containers.

    Each file is named like the setting that is read from it. It can be read by all, because a
    container's user has no name here; the folder around them lets nobody in.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)

    def make(name: str, fresh: str) -> str:
        return keep(folder / name, fresh, mode=0o644)

    make("postgres_password", new_password())
    make("examhall_secret_key", new_key())
    for service in SERVICES:  # each its own role in its own database; PostgreSQL reads them here
        address = f"postgresql://{service}:{new_password()}@postgres:5432/{service}"
        make(f"{service}_database_url", address)
    broker = urlsplit(make("examhall_amqp_url", f"amqp://examhall:{new_password()}@rabbitmq:5672/"))
    account = f"default_user = {broker.username}\ndefault_pass = {broker.password}\n"
    make("rabbitmq_account", account)


def keep(file: Path, fresh: str, *, mode: int = 0o600) -> str:
    """What the file holds; the fresh secret when there was none."""
    if not file.exists():
        draft = file.with_name(f"{file.name}.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
            out.write(fresh)
        draft.chmod(mode)  # whatever the umask says
        draft.replace(file)
    return file.read_text()


def new_password() -> str:
    """A password that needs no quoting anywhere."""
    return token_urlsafe(24)


def new_key() -> str:
    """32 random bytes, as EXAMHALL_SECRET_KEY wants them."""
    return base64.urlsafe_b64encode(token_bytes(32)).decode()


if __name__ == "__main__":
    make_secrets(Path(sys.argv[1]) if len(sys.argv) > 1 else FOR_CONTAINERS)
