"""What staff call the acts in the audit logs: every act has words, and no words are left over."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[1] / "services"
KEY = re.compile(r'^  "(\w+)": _\(', re.MULTILINE)


def acts_of(path: Path) -> Iterator[str]:
    """The acts that are written where a line is recorded; some are put together instead."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name == "_record" or name.endswith("Line"):
                for argument in node.args[1:3]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value


@pytest.mark.parametrize("service", ["identity", "enrollment", "payments", "scoring", "notify"])
def test_every_act_has_words_and_no_words_are_left_over(service: str) -> None:
    sources = sorted((SERVICES / service).rglob("*.py"))
    code = "".join(path.read_text() for path in sources)
    words = (SERVICES / service / "templates" / "staff" / "acts.html").read_text()
    named = KEY.findall(words)
    recorded = {act for path in sources for act in acts_of(path) if re.fullmatch(r"\w+_\w+", act)}
    assert recorded
    assert recorded - set(named) == set(), "these have no words"
    assert named == sorted(set(named))
    left_over = {
        act
        for act in named
        if f'"{act}"' not in code and f'f"{act.partition("_")[0]}_{{' not in code
    }
    assert left_over == set(), "nobody does these"
