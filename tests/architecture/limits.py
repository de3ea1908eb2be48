"""How large a file or function may be, measured on syntax trees; and the few exceptions, each with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from architecture.source import Source

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
PARAMETERS_MAX = 5
NESTING_MAX = 3
FORBIDDEN_NAMES = frozenset(
    "util utils helper helpers common base manager managers model models type types core misc".split()  # noqa: SIM905  (reads as a sentence)
)

EXCEPTIONS: dict[str, str] = {
    "deploy/local/nextwave_local/key_command.py::create": "each parameter is an option of the command line",
    "deploy/local/nextwave_local/key_command.py::change": "each parameter is an option of the command line",
    "deploy/local/nextwave_local/owning/mapping_command.py::plan_folder": "each parameter is an option of the command line",
    "deploy/local/nextwave_local/owning/mapping_command.py::try_file": "each parameter is an option of the command line",
}
"""`path` or `path::function` → why it may be larger. A test refuses entries that are no longer needed."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


class Excess(NamedTuple):
    """Something over a limit. `place` is `path` or `path::function`."""

    place: str
    fault: str


def of_file(source: Source) -> Iterator[Excess]:
    """A file that is too long."""
    if source.lines > FILE_LINES_MAX:
        yield Excess(source.path, f"{source.lines} lines, at most {FILE_LINES_MAX}")


def of_functions(source: Source) -> Iterator[Excess]:
    """Functions that are too long or too deep. A docstring and an inner function's own depth do not count."""
    for function in functions(source):
        place = f"{source.path}::{function.name}"
        lines, depth = length(function), nesting(function.body)
        if lines > FUNCTION_LINES_MAX:
            yield Excess(place, f"{lines} lines, at most {FUNCTION_LINES_MAX}")
        if depth > NESTING_MAX:
            yield Excess(place, f"nesting {depth}, at most {NESTING_MAX}")


def of_parameters(source: Source) -> Iterator[Excess]:
    """Functions with too many parameters, `self` and `cls` not counted."""
    for function in functions(source):
        count = len(parameters(function))
        if count > PARAMETERS_MAX:
            yield Excess(f"{source.path}::{function.name}", f"{count} parameters, at most {PARAMETERS_MAX}")


def functions(source: Source) -> Iterator[Function]:
    """Every function and method of a file."""
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the end, without the docstring."""
    documented = ast.get_docstring(function) is not None
    docstring = (function.body[0].end_lineno or 0) - function.body[0].lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def parameters(function: Function) -> list[str]:
    """Names of the parameters without `self` and `cls`."""
    arguments = function.args
    extra = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]
    return [argument.arg for argument in named if argument.arg not in {"self", "cls"}]


def nesting(body: list[ast.stmt]) -> int:
    """The deepest nesting of blocks; `elif` stays on its level."""
    return max((_depth(statement) for statement in body), default=0)


def _depth(statement: ast.stmt) -> int:
    if not isinstance(statement, BLOCKS):
        return 0
    alternatives = getattr(statement, "orelse", [])
    chained = len(alternatives) == 1 and isinstance(statement, ast.If) and isinstance(alternatives[0], ast.If)
    inner = [child for child in _children(statement) if not (chained and child is alternatives[0])]
    return max(1 + nesting(inner), _depth(alternatives[0]) if chained else 0)


def _children(statement: ast.stmt) -> list[ast.stmt]:
    """The statements directly inside a block, whichever of its arms they are in."""
    arms = [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]
    fields = ("body", "orelse", "finalbody")
    return [child for part in (statement, *arms) for field in fields for child in getattr(part, field, [])]
