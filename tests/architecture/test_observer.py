"""The outside observer of the fault harness stays outside: it imports no code of ours but its own."""

from __future__ import annotations

import ast
from pathlib import Path

OBSERVER = Path(__file__).parents[1] / "faults" / "observer"
ALLOWED = ("faults.observer",)


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_observer_imports_nothing_of_the_services_the_runtime_or_the_contracts() -> None:
    files = list(OBSERVER.glob("*.py"))
    assert len(files) > 5
    ours = {f"{file.name}: {name}" for file in files for name in imported(file) if name.startswith(("nextwave", "faults", "ring", "stack"))}
    assert {name for name in ours if not name.split(": ")[1].startswith(ALLOWED)} == set()
