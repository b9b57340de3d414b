"""Passwords and keys, made once and kept in files."""

import base64
import os
from pathlib import Path
from secrets import token_bytes, token_urlsafe

PASSWORDS = ("postgres_password", "rabbitmq_password")
KEYS = ("secret_key",)


def make_secrets(folder: Path) -> None:
    """Make what is missing of the secrets that docker-compose.yml hands to its containers.

    The files can be read by all, because a container's user has no name here; the folder
    around them lets nobody in.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in PASSWORDS:
        keep(folder / name, new_password(), mode=0o644)
    for name in KEYS:
        keep(folder / name, new_key(), mode=0o644)


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
