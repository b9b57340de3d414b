"""Installs the distribution's packages where that is allowed, and says what to type where not."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.one_machine.commands import run, run_logged
from deploy.one_machine.installed import find_browser, find_postgres, find_rabbitmq
from deploy.one_machine.problems import Problem, with_log
from deploy.one_machine.progress import say, step

# Debian starts a server as soon as it is installed, and PostgreSQL's package makes a cluster.
# Nobody asked for these: they are kept from it, and no trace of that remains. Of Chromium the
# part without windows is enough, where the distribution has it.
INSTALL = """
set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
may_start=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/examhall.conf
tidy() { rm -f "$no_cluster"; [ -z "$ours" ] || rm -f "$may_start"; }
trap tidy EXIT
trap 'exit 130' INT TERM
ours=
if [ ! -e "$may_start" ]; then
    ours=yes
    printf '#!/bin/sh\\nexit 101\\n' > "$may_start"
    chmod 755 "$may_start"
fi
mkdir -p "${no_cluster%/*}"
echo 'create_main_cluster = false' > "$no_cluster"
apt-get -o DPkg::Lock::Timeout=300 update -q
for package in "$@"; do
    shift
    if [ "$package" = chromium ] && apt-cache show chromium-headless-shell >/dev/null 2>&1; then
        package=chromium-headless-shell
    fi
    set -- "$@" "$package"
done
apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends "$@"
for service in postgresql rabbitmq-server; do
    case " $* " in
        *" $service "*) systemctl disable "$service" 2>/dev/null || true ;;
    esac
done
"""


@dataclass(frozen=True)
class Wanted:
    """Something that has to be on the machine, and the package that brings it."""

    name: str
    debian: str
    homebrew: str


POSTGRES = Wanted("PostgreSQL (15 or newer)", "postgresql", "postgresql@17")
RABBITMQ = Wanted("RabbitMQ (3.10 or newer)", "rabbitmq-server", "rabbitmq")
CHROMIUM = Wanted("Chromium", "chromium", "--cask chromium")
CHINESE_FONT = Wanted("a font with Chinese", "fonts-noto-cjk", "--cask font-noto-sans-cjk")
FONTS = Path("/usr/share/fonts")

# Tests read PDF documents with its pdftotext, pdffonts and pdfinfo.
POPPLER = Wanted("Poppler's programs", "poppler-utils", "poppler")


def missing_to_run() -> list[Wanted]:
    """What Examhall needs and this machine does not have."""
    return [*missing_servers(), *([] if _has_chinese_font() else [CHINESE_FONT])]


def missing_servers() -> list[Wanted]:
    """What of PostgreSQL and RabbitMQ is not on this machine."""
    found = ((POSTGRES, find_postgres()), (RABBITMQ, find_rabbitmq()))
    return [wanted for wanted, installed in found if not installed]


def missing_to_test(*, with_browser: bool) -> list[Wanted]:
    """What the tests need besides."""
    missing = [] if shutil.which("pdftotext") else [POPPLER]
    if with_browser and not find_browser():
        missing.append(CHROMIUM)
    return missing


def install(missing: list[Wanted], *, log: Path, then: str) -> None:
    """Install these when root is at hand without asking; otherwise stop with what to type."""
    if not missing:
        return
    if (become_root := _become_root()) is None:
        raise Problem(what_to_type(missing, then))
    packages = [wanted.debian for wanted in missing]
    say(f"Installing the distribution's {', '.join(packages)}; no service of theirs is started.")
    words = [*become_root, "sh", "-c", INSTALL, "install", *packages]
    with step("Installing packages with apt-get"):
        failed = run_logged(words, log)
    if failed:
        raise with_log("The packages could not be installed.", log)


def what_to_type(missing: list[Wanted], then: str) -> str:
    """The commands that bring what is missing."""
    names = " and ".join(wanted.name for wanted in missing)
    debian = " ".join(wanted.debian for wanted in missing)
    if shutil.which("apt-get"):
        lines = ["apt-get update", f"apt-get install --no-install-recommends {debian}"]
        if shutil.which("sudo"):
            commands = [f"sudo {line}" for line in lines]
        else:
            commands = [f"su -c '{line}'" for line in lines]
    elif shutil.which("brew"):
        commands = [f"brew install {wanted.homebrew}" for wanted in missing]
    else:
        commands = [f"(your system's package manager) install {debian}"]
    typed = "\n".join(f"    {command}" for command in [*commands, f"./examhall {then}"])
    return (
        f"Not found on this machine: {names}, and installing needs root. Type:\n\n{typed}\n\n"
        "With a Docker engine this works too:\n\n    ./examhall up --docker"
    )


def _become_root() -> list[str] | None:
    """What to put before a command to run it as root; None when that is not allowed."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and run(["sudo", "-n", "true"]).returncode == 0:
        return ["sudo", "-n"]
    return None


def _has_chinese_font() -> bool:
    if shutil.which("fc-list"):
        return bool(run(["fc-list", "Noto Sans CJK TC"]).stdout)
    return any(FONTS.glob("**/NotoSansCJK*"))
