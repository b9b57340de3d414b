"""What is in the image, and what is not."""

import json

import pytest

from tests.containers.stack import Stack, docker

pytestmark = pytest.mark.containers

# With the official python:3.13-slim or the largest stand-in for it. What sets the documents is a
# third of it: typst with 77 MB, and two Chinese fonts with 20 MB each.
LARGEST = 400_000_000


@pytest.fixture(scope="module")
def image(stack: Stack) -> str:
    return str(stack.containers("identity-web")[0]["Image"])


def look(image: str, script: str) -> str:
    return docker("run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", script).stdout


def test_the_image_is_small(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = json.loads(docker("image", "inspect", image).stdout)[0]["Size"]
    with capsys.disabled():
        print(f"\nimage: {size / 1e6:.0f} MB")
    assert size < LARGEST


@pytest.mark.parametrize(
    "program",
    [
        "pip",
        "pip3",
        "npm",
        "node",
        "gcc",
        "cc",
        "c++",
        "make",
        "apt",
        "apt-get",
        "dpkg",
        "curl",
        "wget",
        "git",
    ],
)
def test_nothing_builds_or_fetches(image: str, program: str) -> None:
    assert look(image, f"command -v {program} || true") == ""


def test_nothing_python_installs(image: str) -> None:
    script = """
        for python in python /usr/bin/python3 /usr/local/bin/python3; do
          if command -v $python >/dev/null; then for module in pip setuptools ensurepip; do
            if $python -c "import $module" 2>/dev/null; then echo "$python $module"; fi
          done; fi
        done
    """
    found = look(image, script)
    assert found == ""


def test_nobody_becomes_root(image: str) -> None:
    assert look(image, "id -u").strip() == "10001"
    assert look(image, "find / -xdev -type f -perm /6000 2>/dev/null; true") == ""


def test_only_what_runs_is_inside(image: str) -> None:
    assert look(image, "ls -A /app").split() == ["deploy", "services", "shared"]
    # A module about secrets is none.
    secrets = "-name '*secret*' -not -name '*.py' -not -name '*.pyc'"
    assert look(image, f"find /app -name 'test*' -o -name '.git*' -o {secrets}") == ""
    uncompiled = "find /app -name '*.py' | wc -l; find /app -name '*.pyc' | wc -l"
    sources, compiled = look(image, uncompiled).split()
    assert sources == compiled


def test_all_services_run_the_same_image(stack: Stack, image: str) -> None:
    names = {container["Config"]["Image"] for container in stack.containers()}
    assert len([name for name in names if name.startswith("examhall")]) == 1


def test_documents_find_their_font(image: str) -> None:
    script = "python -c 'from shared.pdf import _fonts; print(*_fonts().families())'"
    assert "Noto Sans CJK TC" in look(image, script)
