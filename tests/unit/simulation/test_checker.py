"""The checker can find faults: each broken part of the shell gives a life in which it does; and it knows nothing of the services' code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from unit.simulation.checker.verdict import faults
from unit.simulation.history import Key
from unit.simulation.house import KEY
from unit.simulation.world import World

BROKEN = {
    "seen": (0, "taking in: scoring took"),
    "marks": (0, "taken in 2 times"),
    "watermarks": (13, "closed unanswered"),
    "claim_gate": (0, "was claimed"),
    "horizon": (53, "was accepted"),
    "caps": (3, "acts in spite of cap"),
    "holds": (0, "taking in: channels took"),
    "estate": (0, "never ended"),
    "levers": (0, "scores deals"),
}
"""What is broken: a seed in which that shows, and what the checker says of it."""


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_shell_is_found_out(broken: str) -> None:
    """In the seed where it was last seen to show, or in one of the next ones when the simulation has changed since."""
    first, finding = BROKEN[broken]
    for seed in range(first, first + 12):
        if any(finding in fault for fault in faults(World(Key(seed, broken=broken)).live().steps, KEY)):
            return
    pytest.fail(f"nothing was found out in twelve lives without {broken}")


def test_the_checker_imports_no_code_of_the_services() -> None:
    imported = set()
    for path in Path(__file__).with_name("checker").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0] if not str(node.module).startswith("unit.") else str(node.module))
    ours = {name for name in imported if name.startswith(("nextwave", "unit"))}
    assert {name for name in ours if not name.startswith("unit.simulation.checker")} == {"nextwave_contracts", "unit.simulation.history"}
