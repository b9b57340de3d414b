"""The lock file says what is installed, never where it was downloaded from."""

import json
from pathlib import Path

FRONTEND = Path(__file__).parents[3] / "shared" / "frontend"


def test_every_package_is_pinned_by_its_content_and_none_by_an_address() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_the_components_match_their_templates() -> None:
    wanted = json.loads((FRONTEND / "package.json").read_text())["dependencies"]
    assert wanted == {"govuk-frontend": "6.3.0"}
    requirements = (FRONTEND.parents[1] / "requirements.txt").read_text()
    assert "govuk-frontend-jinja==4.1.0" in requirements
