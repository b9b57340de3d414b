"""The benchmark of a release in small: it measures what happened, and everybody was written to."""

import pytest

from tests.bench import letters, release
from tests.servers import Servers


@pytest.mark.variant
async def test_a_small_release_is_measured_to_its_last_letter(
    running: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "LETTERS", 20)
    report = await release.run(running, candidates=50)
    figures = {figure.name: figure.value for figure in report.figures}
    assert figures["from the instant to the first view"] >= 0
    assert 0 < figures["to the last letter queued"] <= figures["to the last letter handed over"]
    assert all(figure.value > 0 for figure in report.figures if figure.unit == "MB")
