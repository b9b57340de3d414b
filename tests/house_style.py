"""The house style as functions: each takes a file's source and returns what is wrong with it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePath

LONGEST_FILE = 300
LONGEST_FUNCTION = 60
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core", "lib"}
EDGES = {"app", "pages", "staff", "api", "hooks", "consumers", "schedule", "commands", "demo"}
# What notify does because a letter is due: it stands between the database and a mail server, and
# commits the intent before it sends and the outcome after.
EDGES |= {"sender"}
# And payments' cashier, for the same reason, between the database and the payment providers.
EDGES |= {"cashier"}
TABLES = {"pages": "ROUTES", "staff": "ROUTES", "api": "ROUTES", "hooks": "ROUTES"}
TABLES |= {"consumers": "HANDLERS"}
WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE(?! SET\b)|DELETE FROM)\s+(?:ONLY\s+)?([a-z_]+)")
ENVIRONMENT = re.compile(r"\bos\.environ\b|\bgetenv\b")
CLOCK = re.compile(r"\b(?:datetime|date)\.(?:now|utcnow|today)\(|\btime\.time\(")
TRANSACTION = re.compile(r"\btransaction\(")
# What a session keeps when a transaction ends. A pool does not ask it to forget after each.
KEPT = re.compile(
    r"""["\s](?:SET (?:SESSION )?[a-z_]+ (?:=|TO)|LISTEN |pg_(?:try_)?advisory_lock\()"""
)
# What waits for somebody else's computer.
FOREIGN = {"ClientSession", "aiosmtplib", "methods", "channels"}


def edge_of(path: PurePath) -> str:
    """The edge a module belongs to: itself, or the folder that it is a part of."""
    return path.parent.name if path.parent.name in EDGES else path.stem


def find_long_parts(source: str) -> Iterator[str]:
    """A file fits in the head, a function on a screen."""
    lines = source.count("\n")
    if lines > LONGEST_FILE:
        yield f"{lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{node.name} has {length} lines"


def find_vagueness(stem: str, source: str) -> Iterator[str]:
    """A module says in one sentence what it is, and its name says something."""
    tree = ast.parse(source)
    if tree.body and not ast.get_docstring(tree):
        yield "does not say what it is"
    if stem in VAGUE:
        yield f"{stem} is no name"


def find_clock_reading(source: str) -> Iterator[str]:
    """`now` is an argument."""
    yield from (found.group() for found in CLOCK.finditer(source))


def find_environment_reading(source: str) -> Iterator[str]:
    yield from (found.group() for found in ENVIRONMENT.finditer(source))


def find_transactions(source: str) -> Iterator[str]:
    """Only edges open transactions."""
    yield from (found.group() for found in TRANSACTION.finditer(source))


def find_lasting_settings(source: str) -> Iterator[str]:
    """In a transaction only what ends with it is set or locked."""
    statements = (
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    for statement in statements:
        # UPDATE … SET is another word.
        if "UPDATE" not in statement:
            yield from (found.group().strip() for found in KEPT.finditer(f" {statement}"))


def find_shared_tables(sources: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Name every table that more than one module writes."""
    writers: defaultdict[str, set[str]] = defaultdict(set)
    for module, source in sources:
        for table in WRITES.findall(source):
            writers[table].add(module)
    return {table: modules for table, modules in writers.items() if len(modules) > 1}


def find_unfinished_edges(stem: str, source: str) -> Iterator[str]:
    """An edge ends in its table, so that a reader finds at the end what it offers."""
    if stem not in TABLES:
        return
    last = ast.parse(source).body[-1]
    targets = last.targets if isinstance(last, ast.Assign) else [getattr(last, "target", None)]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    if names != [TABLES[stem]]:
        yield f"does not end in {TABLES[stem]}"


def find_registering_decorators(source: str) -> Iterator[str]:
    """Registration is a plain table: no @routes.get, no @app.on_event."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(called, ast.Attribute) and called.attr in {
                "get", "post", "put", "patch", "delete", "route", "view", "on", "register", "task",
            }:  # fmt: skip
                yield f"{node.name} is registered by a decorator"


def find_network_in_transactions(source: str) -> Iterator[str]:
    """No network inside a transaction: a row must not stay locked while a stranger thinks."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.AsyncWith):
            continue
        opened = " ".join(ast.unparse(item.context_expr) for item in node.items)
        if "transaction(" not in opened:
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute | ast.Name):
                name = inner.attr if isinstance(inner, ast.Attribute) else inner.id
                if name in FOREIGN:
                    yield f"{name} inside a transaction"
