"""When a rule holds for an item: paths, and what must lie there. PURE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nextwave_contracts.faults import step

from nextwave_ingest.mappings.paths import Path
from nextwave_ingest.mappings.values import Reader

Test = Callable[[list[Any]], bool]
"""Of the values that lie at a path: none, one, or several."""
_FIX = "write a value, a list of values, or an object of: exists, not, not_word, starts_with, ends_with, contains, in_table"


class Conditions:
    """A rule's conditions, in the order in which they are written."""

    def __init__(self, asked: Sequence[tuple[Path, Sequence[Test]]]) -> None:
        self._asked = asked

    def failing(self, item: Any) -> int | None:
        """The place of the first that does not hold; None where all do."""
        for place, (path, tests) in enumerate(self._asked):
            found = path.values(item)
            if not all(test(found) for test in tests):
                return place
        return None

    def path(self, place: int) -> Path:
        """Of what a condition asks."""
        return self._asked[place][0]


def conditions(written: Mapping[str, Any], reader: Reader, at: str) -> Conditions:
    """A rule's conditions. Those without a path that can be used are left out; the reader has the fault."""
    asked = [(_path(path, reader, at + step(path)), _tests(test, reader, at + step(path))) for path, test in written.items()]
    return Conditions([(path, tests) for path, tests in asked if path is not None])


def _path(written: str, reader: Reader, at: str) -> Path | None:
    reader.count(at)
    return reader.path(written, at)


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
