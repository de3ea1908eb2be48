"""Pure modules are told the time, ids and chance; they never ask for them. What they may import is held by `.importlinter`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from architecture.source import Source, pure_sources

ASKING = frozenset(
    {
        "now", "utcnow", "today", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime",
        "uuid1", "uuid4", "uuid7", "urandom", "token_bytes", "token_hex", "token_urlsafe", "getrandbits", "shuffle", "randint", "sleep",
    }
)  # fmt: skip
"""Calls by which code asks for the time or for chance, whatever they are called on."""
ASKED = frozenset({"time", "random", "secrets", "asyncio", "socket", "subprocess", "threading"})
"""Modules that a pure module has no use for."""


def questions(tree: ast.Module) -> Iterator[str]:
    """Each place where the code asks, as `line: what`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in ASKING:
                yield f"{node.lineno}: {name}()"
            case ast.Import(names=names):
                yield from (f"{node.lineno}: import {alias.name}" for alias in names if alias.name.split(".")[0] in ASKED)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in ASKED:
                yield f"{node.lineno}: from {module} import"


@pytest.mark.parametrize("source", pure_sources(), ids=lambda source: source.path)
def test_a_pure_module_never_asks_for_the_time_or_for_chance(source: Source) -> None:
    assert list(questions(source.tree)) == []


@pytest.mark.parametrize(
    "code",
    ["datetime.now(UTC)", "clock.now()", "uuid4()", "uuid.uuid4()", "import random", "from time import monotonic", "date.today()"],
)
def test_asking_is_noticed(code: str) -> None:
    assert list(questions(ast.parse(code)))


def test_being_told_is_not_asking() -> None:
    assert list(questions(ast.parse("from datetime import time\nuuid5(NAMESPACE, name)\nnow + window"))) == []
