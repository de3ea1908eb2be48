"""Files and functions stay small, and modules are named by what they hold."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

import pytest
from architecture import limits
from architecture.limits import EXCEPTIONS, FORBIDDEN_NAMES, Excess, nesting
from architecture.source import PACKAGES, PRODUCT, TESTS, sources


def excesses() -> list[Excess]:
    found = [excess for source in sources(*PRODUCT, *TESTS) for excess in (*limits.of_file(source), *limits.of_functions(source))]
    return found + [excess for source in sources(*PRODUCT) for excess in limits.of_parameters(source)]


def test_no_file_or_function_is_larger_than_the_limits() -> None:
    assert [f"{place}: {fault}" for place, fault in excesses() if place not in EXCEPTIONS] == []


def test_every_exception_is_still_needed_and_says_why() -> None:
    assert set(EXCEPTIONS) <= {excess.place for excess in excesses()}
    assert all(EXCEPTIONS.values())


def test_modules_are_named_by_what_they_hold() -> None:
    packages = tuple(f"{package.parent.name}/{package.name}/" for package in PACKAGES)
    inside = [source.path for source in sources(*PRODUCT) if any(part in source.path for part in packages)]
    names = {path: set(PurePosixPath(path.partition("/nextwave_")[2]).with_suffix("").parts) for path in inside}
    assert [path for path, parts in names.items() if parts & FORBIDDEN_NAMES] == []


def test_every_module_says_why_it_exists() -> None:
    assert [source.path for source in sources(*PRODUCT, *TESTS) if source.tree.body and not ast.get_docstring(source.tree)] == []


@pytest.mark.parametrize(
    ("code", "depth"),
    [
        ("x = 1", 0),
        ("if a:\n x\nelif b:\n y\nelif c:\n z", 1),
        ("for a in b:\n if c:\n  x", 2),
        ("try:\n x\nexcept E:\n with a:\n  if b:\n   y", 3),
        ("match a:\n case 1:\n  while b:\n   x", 2),
        ("if a:\n x\nelse:\n for b in c:\n  y", 2),
    ],
)
def test_nesting_counts_blocks_inside_blocks_and_no_elif(code: str, depth: int) -> None:
    assert nesting(ast.parse(code).body) == depth
