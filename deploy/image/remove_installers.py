"""Takes out of the image what could put something else into it: pip and its kin."""

import shutil
import sysconfig
from pathlib import Path

# Where the interpreter's own packages lie, in the official images and in Debian's.
FOLDERS = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "/usr/lib/python3"}
NAMES = ("pip", "pip-*", "ensurepip", "setuptools", "setuptools-*", "wheel", "wheel-*")


def main() -> None:
    for folder in {Path(folder) for folder in FOLDERS}:
        for place in (folder, folder / "dist-packages", folder / "site-packages"):
            for found in [match for name in NAMES for match in place.glob(name)]:
                shutil.rmtree(found)
    shutil.rmtree("/usr/share/python-wheels", ignore_errors=True)
    for programs in (Path("/usr/local/bin"), Path("/usr/bin")):
        for program in [*programs.glob("pip*"), *programs.glob("wheel*")]:
            program.unlink()


if __name__ == "__main__":
    main()
