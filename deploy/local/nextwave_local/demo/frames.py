"""Reads the columns out of a pickled pandas table without pandas: nothing in the pickle is executed, its parts are only looked at."""

from __future__ import annotations

import io
import pickle
from array import array
from collections.abc import Iterator
from typing import Any, Literal, Self

Columns = dict[str, list[Any]]
_CODES: dict[str, Literal["q", "d"]] = {"i8": "q", "f8": "d"}
"""Array codes of the numbers that are read, by numpy's names."""


class FrameError(ValueError):
    """The bytes are no table of 64-bit numbers and texts."""


class _Part:
    """Stands for any object of the pickle: what it would have been made from (`args`), and its `state`."""

    args: tuple[Any, ...] = ()
    state: Any = None

    def __new__(cls, *args: Any) -> Self:
        """Keeps the arguments and does nothing with them."""
        part = object.__new__(cls)
        part.args = args
        return part

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Looking(pickle.Unpickler):
    """Every class or function that the pickle names becomes an inert part of that name."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        return type(global_name, (_Part,), {"__module__": module_name})


def columns(raw: bytes) -> Columns:
    """The columns of a pickled `DataFrame` by name. Raises `FrameError`."""
    try:
        frame = _Looking(io.BytesIO(raw)).load()
        blocks, (names, _rows) = frame.state["_mgr"].args
        titles = names.args[1]["data"].state[4]
        found = {titles[place]: values for block in blocks for place, values in _block(block)}
    except (pickle.UnpicklingError, AttributeError, IndexError, KeyError, TypeError, ValueError, EOFError) as wrong:
        raise FrameError(f"this is no table that can be read without pandas: {wrong}") from wrong
    return {title: found[title] for title in titles}


def _block(block: _Part) -> Iterator[tuple[int, list[Any]]]:
    """The columns of a block with their places; a block holds columns of one type, one after the other."""
    values, placement, _dimensions = block.args
    places = range(*placement.args) if type(placement).__name__ == "slice" else _values(placement)
    flat = _values(values)
    length = len(flat) // len(places)
    for number, place in enumerate(places):
        yield place, flat[number * length : (number + 1) * length]


def _values(values: _Part) -> list[Any]:
    if isinstance(values.state, tuple):  # an array of objects: version, shape, type, order, items
        return list(values.state[4])
    buffer, kind, _shape, order = values.args
    code = _CODES.get(kind.args[0])
    if code is None or order != "C":
        raise FrameError(f"a column of type {kind.args[0]} is not read here")
    return array(code, bytes(buffer)).tolist()
