"""Services with a database live by its clock (decision 4); who asks this machine's wall clock all the same is listed here, with why."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from architecture.source import sources

WALL = frozenset({"time.time", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time_ns"})
STATEFUL = ("libs/common", "services/scoring", "services/orchestrator", "services/channels")
ALLOWED: dict[str, str] = {
    "libs/common/nextwave_runtime/clock.py": "the clocks themselves; a process's own is watched, and is what ingest has",
    "libs/common/nextwave_runtime/auth.py": "when a rotated key ends: no business, and ingest has no other clock",
    "services/channels/nextwave_channels/adapters/email.py": "the default for tests; the service passes its clock",
    "services/channels/nextwave_channels/http_port.py": "how long a provider wants to be left alone, bounded by an hour",
}


def asked(tree: ast.Module) -> Iterator[str]:
    """Each mention of the machine's wall clock, called or passed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and f"{node.value.id}.{node.attr}" in WALL:
            yield f"{node.lineno}: {node.value.id}.{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module == "time" and any(alias.name in {"time", "time_ns"} for alias in node.names):
            yield f"{node.lineno}: from time import time"


def test_nothing_in_a_service_with_a_database_goes_by_the_machines_wall_clock() -> None:
    asking = {source.path: list(asked(source.tree)) for source in sources(*STATEFUL)}
    assert {path: places for path, places in asking.items() if places and path not in ALLOWED} == {}


def test_who_is_allowed_to_ask_still_does() -> None:
    asking = {source.path for source in sources(*STATEFUL) if list(asked(source.tree))}
    assert set(ALLOWED) - asking == set()


def test_asking_is_noticed() -> None:
    for code in ("time.time()", "datetime.now(UTC)", "x(now=time.time)", "from time import time", "date.today()"):
        assert list(asked(ast.parse(code)))
    assert not list(asked(ast.parse("clock.now(); time.monotonic(); from time import monotonic")))
