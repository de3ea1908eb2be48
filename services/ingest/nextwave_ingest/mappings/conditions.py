"""When a rule holds for an item: paths, and what must lie there. PURE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_contracts.faults import step

from nextwave_ingest.mappings.paths import Path
from nextwave_ingest.mappings.values import Reader

Condition = Callable[[Any], bool]
Test = Callable[[list[Any]], bool]
"""Of the values that lie at a path: none, one, or several."""
_FIX = "write a value, a list of values, or an object of: exists, not, not_word, starts_with, ends_with, contains, in_table"


def conditions(written: Mapping[str, Any], reader: Reader, at: str) -> Condition:
    """Whether all of a rule's conditions hold."""
    checks = [_check(path, _tests(test, reader, at + step(path)), reader, at + step(path)) for path, test in written.items()]
    return lambda item: all(check(item) for check in checks)


def _check(written: str, tests: list[Test], reader: Reader, at: str) -> Condition:
    reader.count(at)
    path = reader.path(written, at)
    return _never if path is None else _at(path, tests)


def _at(path: Path, tests: list[Test]) -> Condition:
    def holds(item: Any) -> bool:
        found = path.values(item)
        return all(test(found) for test in tests)

    return holds


def _never(_: Any) -> bool:
    return False


def _tests(written: Any, reader: Reader, at: str) -> list[Test]:
    if not isinstance(written, Mapping):
        return [_one_of(_scalars(written, reader, at))]
    if not written:
        reader.fault(at, "there is no condition", _FIX)
    return [_test(word, operand, reader, at + step(word)) for word, operand in written.items()]


def _test(word: str, operand: Any, reader: Reader, at: str) -> Test:
    match word, operand:
        case "exists", bool():
            return lambda found: bool(found) == operand
        case "not", _:
            is_one = _one_of(_scalars(operand, reader, at))
            return lambda found: not is_one(found)
        case "not_word", _:
            words = {one.casefold() for one in _scalars(operand, reader, at) if isinstance(one, str)}
            return lambda found: not any(isinstance(value, str) and value.strip().casefold() in words for value in found)
        case "in_table", str():
            return _in_table(operand, reader, at)
        case "starts_with" | "ends_with" | "contains", str() if operand:
            return _texts(word, operand)
        case _:
            reader.fault(at, f"{word} cannot be asked so", _FIX)
            return lambda _: False


def _in_table(name: str, reader: Reader, at: str) -> Test:
    table = reader.tables.get(name)
    if table is None:
        reader.fault(at, f"there is no table {name!r:.80}", f"use one of: {', '.join(reader.tables) or 'none yet; add tables'}")
        return _never
    return lambda found: any(value in table for value in found)


def _texts(word: str, part: str) -> Test:
    if word == "contains":
        return lambda found: any(isinstance(value, str) and part in value for value in found)
    is_so = str.startswith if word == "starts_with" else str.endswith
    return lambda found: any(isinstance(value, str) and is_so(value, part) for value in found)


def _scalars(written: Any, reader: Reader, at: str) -> list[Any]:
    several = written if isinstance(written, list) else [written]
    if not several or not all(isinstance(one, str | int | float | bool) for one in several):
        reader.fault(at, "can only be compared with texts, numbers, true and false", _FIX)
        return []
    return several


def _one_of(operands: list[Any]) -> Test:
    wanted = [(isinstance(one, bool), one) for one in operands]
    return lambda found: any((isinstance(value, bool), value) in wanted for value in found)
