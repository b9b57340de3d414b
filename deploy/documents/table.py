"""Every document that is made from the code, and what makes it."""

import json
from collections.abc import Callable, Sequence

from deploy.documents import api, events, readable
from deploy.documents.parts import ROOT, Part, list_parts
from deploy.documents.schemas import Document

FOLDER = ROOT / "docs"


def _as_json(describe: Callable[[Sequence[Part]], Document]) -> Callable[[Sequence[Part]], str]:
    return lambda parts: json.dumps(describe(parts), indent=2, ensure_ascii=False)


DOCUMENTS: dict[str, Callable[[Sequence[Part]], str]] = {
    "events/asyncapi.json": _as_json(events.describe),
    "events/README.md": readable.show_events,
    "api/openapi.json": _as_json(api.describe),
    "api/README.md": readable.show_api,
    "metrics.md": readable.show_metrics,
}


def make_all() -> dict[str, str]:
    """The text of each document as it ought to be."""
    parts = list_parts()
    return {name: make(parts).rstrip("\n") + "\n" for name, make in DOCUMENTS.items()}
