"""Makes the passwords and keys that docker-compose.yml hands to its containers, each in a file."""

import base64
import os
import sys
from pathlib import Path
from secrets import token_bytes, token_urlsafe

FOLDER = Path(__file__).parent / "secrets"
SERVICES = ("identity", "enrollment", "payments", "scoring", "notify")
BROKER_USER = "examhall"


def make_secrets(folder: Path) -> list[str]:
    """Make what is missing; return the names of what was made.

    The files can be read by all, because a container's user has no name here; the folder
    around them lets nobody in. A file is named like the setting that is read from it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    fresh = {"postgres_password": new_password(), "examhall_secret_key": new_key()}
    for service in SERVICES:
        address = f"postgresql://{service}:{new_password()}@postgres:5432/{service}"
        fresh[f"{service}_database_url"] = address
    made = [name for name, secret in fresh.items() if keep(folder / name, secret)]
    return made + _make_broker_account(folder)


def new_password() -> str:
    """A password that needs no quoting anywhere."""
    return token_urlsafe(24)


def new_key() -> str:
    """32 random bytes, as EXAMHALL_SECRET_KEY wants them."""
    return base64.urlsafe_b64encode(token_bytes(32)).decode()


def keep(file: Path, fresh: str) -> bool:
    """Write the secret unless there is one: what servers were set up with must not change."""
    if file.exists():
        return False
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as out:
        out.write(fresh)
    draft.chmod(0o644)  # whatever the umask says
    draft.replace(file)
    return True


def _make_broker_account(folder: Path) -> list[str]:
    """The broker's configuration and the services' address, of which neither works alone."""
    names = ("rabbitmq_account", "examhall_amqp_url")
    if all((folder / name).exists() for name in names):
        return []
    password = new_password()
    account = f"default_user = {BROKER_USER}\ndefault_pass = {password}\n"
    address = f"amqp://{BROKER_USER}:{password}@rabbitmq:5672/"
    for name, secret in zip(names, (account, address), strict=True):
        (folder / name).unlink(missing_ok=True)
        keep(folder / name, secret)
    return list(names)


if __name__ == "__main__":
    for name in make_secrets(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"made {name}")
