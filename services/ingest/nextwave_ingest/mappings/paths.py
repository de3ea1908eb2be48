"""JSONPath (RFC 9535) as mappings may use it: bounded when it is read, total when it is asked. PURE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from math import prod
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError
from jsonpath.filter import BaseExpression, FilterQuery
from jsonpath.match import JSONPathMatch
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import Filter, IndexSelector, NameSelector
from msgspec import UNSET
from nextwave_contracts.faults import step

from nextwave_ingest.mappings import effort

LENGTH_MAX = 1_000
"""Characters of a path."""
CHOICES_MAX = 16
"""How often one value may be selected: the selectors of each segment, multiplied."""
MANY_WAYS = f"it chooses between more than {CHOICES_MAX} ways"
NESTED_MAX = 20
"""Depth of a filter's expression."""
VALUES_MAX = 1_000
"""Values that one path gives; more are left out."""
_REGULAR_EXPRESSIONS = frozenset({"match", "search"})


class PathError(ValueError):
    """The text is no path that may be used; the message says why."""


class _Environment(JSONPathEnvironment):
    """The standard alone, without functions that read regular expressions, and bounded in what it compares."""

    max_recursion_depth = 200

    def __init__(self) -> None:
        super().__init__(strict=True, filter_caching=False)
        for name in _REGULAR_EXPRESSIONS & set(self.function_extensions):
            del self.function_extensions[name]

    def compare(self, left: object, operator: str, right: object) -> bool:
        """As the standard has it; lists and objects are compared value by value."""
        if isinstance(left, dict | list) and isinstance(right, dict | list):
            effort.look(_size(left))
        return super().compare(left, operator, right)


_environment = _Environment()


class Path:
    """A path into an item. `steps`: names and positions, where it can lead to one value only; `descends`: it has a `..`.

    `choices`: how often it may select one value. Asked of an item, it raises `RefusedError` where that takes too much effort.
    """

    def __init__(self, written: str) -> None:
        """Raises `PathError`."""
        self.written = written
        self._path = _read(written)
        self.steps = _steps(self._path)
        self.descends = any(isinstance(one, JSONPathRecursiveDescentSegment) for one in self._path.segments)
        self.choices = prod(len(one.selectors) for one in self._path.segments)

    @property
    def pointer(self) -> str:
        """Where it leads as a JSON pointer; of a path to several values the part before the choice."""
        return "".join(step(name) for name in self.steps or _beginning(self._path))

    def value(self, item: Any) -> Any:
        """What lies there: the value, or the list of all values where there may be several; `UNSET` where there is none."""
        if self.steps is not None:
            return _walk(item, self.steps)
        return self._several(self._path, item, VALUES_MAX) or UNSET

    def values(self, item: Any, most: int = VALUES_MAX) -> list[Any]:
        """All values that lie there and no more than `most`, none where there are none."""
        if self.steps is None:
            return self._several(self._path, item, most)
        found = _walk(item, self.steps)
        return [] if found is UNSET else [found]

    def breaks_off(self, item: Any) -> bool:
        """Of a path without values here: whether that out of which it chooses is not there, rather than empty or without a fitting one."""
        segments = self._path.segments
        for n in range(len(segments) - 1, -1, -1):
            way = JSONPath(env=_environment, segments=segments[:n])
            if reached := self._several(way, item, VALUES_MAX):
                is_choice = not isinstance(segments[n], JSONPathRecursiveDescentSegment) and not _names(segments[n])
                return not (is_choice and any(isinstance(one, dict | list) for one in reached))
        return True

    def _several(self, path: JSONPath, item: Any, most: int) -> list[Any]:
        if not isinstance(item, dict | list):  # the library would take a text for a document
            return []
        try:
            return [found.obj for found in islice(_found(path, item), most)]
        except effort.SpentError as spent:
            raise spent.refused(self.written) from spent


def _size(value: Any) -> int:
    """How many values there are within this one, itself counted; beyond what is left it does not matter."""
    waiting, size, most = [value], 0, effort.left()
    while waiting and size <= most:
        one = waiting.pop()
        size += 1
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return size


def _found(path: JSONPath, item: Any) -> Iterator[JSONPathMatch]:
    """As the library finds it, paid for segment by segment."""
    found: Iterable[JSONPathMatch] = JSONPath(env=_environment, segments=()).finditer(item)
    for segment in path.segments:
        found = segment.resolve(_paid(found, segment))
    for node in found:
        effort.look(1)
        yield node


def _paid(nodes: Iterable[JSONPathMatch], segment: JSONPathSegment) -> Iterator[JSONPathMatch]:
    asked = sum(_asked(selector.expression) for selector in segment.selectors if isinstance(selector, Filter))
    for node in nodes:
        if isinstance(segment, JSONPathRecursiveDescentSegment):
            effort.look(_size(node.obj) * (asked + len(segment.selectors)))
        else:
            effort.look(1 + (len(node.obj) * asked if isinstance(node.obj, dict | list) else 0))
        yield node


def _asked(expression: BaseExpression) -> int:
    """What a filter asks of each value: its parts, and the steps of its ways."""
    waiting, parts = [expression], 0
    while waiting:
        one = waiting.pop()
        parts += 1
        if isinstance(one, FilterQuery):
            parts += len(one.path.segments)
        else:
            waiting.extend(one.children())
    return parts


def _names(segment: JSONPathSegment) -> bool:
    return any(isinstance(selector, NameSelector) for selector in segment.selectors)


def _walk(item: Any, steps: Iterable[str | int]) -> Any:
    for name in steps:
        if isinstance(name, str):
            item = item.get(name, UNSET) if isinstance(item, dict) else UNSET
        elif isinstance(item, list) and -len(item) <= name < len(item):
            item = item[name]
        else:
            return UNSET
    return item


def _read(written: str) -> JSONPath:
    if len(written) > LENGTH_MAX:
        raise PathError(f"it has more than {LENGTH_MAX} characters")
    try:
        path = _environment.compile(written)
    except (JSONPathError, RecursionError, ValueError) as wrong:
        raise PathError(str(wrong.args[0]) if wrong.args else "it cannot be read") from wrong
    if not isinstance(path, JSONPath):
        raise PathError("several paths in one are not taken")
    segments = list(_segments(path.segments))
    if sum(isinstance(one, JSONPathRecursiveDescentSegment) for one in segments) > 1:
        raise PathError("it has more than one '..'")
    if prod(len(one.selectors) for one in segments) > CHOICES_MAX:
        raise PathError(MANY_WAYS)
    return path


def _segments(segments: Iterable[JSONPathSegment]) -> Iterator[JSONPathSegment]:
    """The segments of a path. Filters may only ask for single values, so that a filter costs the same for each value."""
    for segment in segments:
        yield segment
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                _check_filter(selector.expression)


def _check_filter(expression: BaseExpression) -> None:
    waiting = [(expression, 1)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, FilterQuery):
            if not one.path.singular_query():
                raise PathError("a filter may ask for one value only, like @.kind, not for several")
        elif depth > NESTED_MAX:
            raise PathError(f"a filter is nested deeper than {NESTED_MAX}")
        else:
            waiting.extend((child, depth + 1) for child in one.children())


def _steps(path: JSONPath) -> tuple[str | int, ...] | None:
    return tuple(_beginning(path)) if path.singular_query() else None


def _beginning(path: JSONPath) -> Iterator[str | int]:
    for segment in path.segments:
        match segment.selectors:
            case (NameSelector(name=name),) if not isinstance(segment, JSONPathRecursiveDescentSegment):
                yield name
            case (IndexSelector(index=index),) if not isinstance(segment, JSONPathRecursiveDescentSegment):
                yield index
            case _:
                return
