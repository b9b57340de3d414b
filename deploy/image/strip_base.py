"""Takes out of the base image what a service never uses, above all what could install more."""

import shutil
import stat
import sysconfig
from pathlib import Path

# Where the interpreter's own packages lie, in the official images and in Debian's.
PACKAGES = (
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
    "/usr/lib/python3/dist-packages",
    "/usr/share/python-wheels",
)
INSTALLERS = ("pip", "pip-*", "ensurepip", "setuptools*", "wheel*", "pkg_resources", "*.whl")
PROGRAMS = ("/usr/local/bin", "/usr/bin", "/usr/sbin")
INSTALLER_PROGRAMS = ("pip*", "wheel*", "apt*", "dpkg*")
# What only Debian's installer or a reader at a terminal needs.
FOLDERS = ("var/cache", "var/lib/apt", "usr/share/doc", "usr/share/man", "usr/share/locale")


def main() -> None:
    for folder, names in (
        *((folder, INSTALLERS) for folder in PACKAGES),
        *((folder, INSTALLER_PROGRAMS) for folder in PROGRAMS),
        ("/", FOLDERS),
    ):
        for path in [found for name in names for found in Path(folder).glob(name)]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)  # two folders may be one
    _drop_setuid()


def _drop_setuid() -> None:
    """Nobody in the container may become somebody else."""
    for folder in PROGRAMS:
        for program in Path(folder).iterdir():
            mode = program.lstat().st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                program.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))


if __name__ == "__main__":
    main()
