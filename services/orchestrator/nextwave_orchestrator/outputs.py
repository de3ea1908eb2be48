"""Which fields a template shows although they may be missing: neither with a default, nor under a condition that they are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, RenderContext
from liquid.ast import ConditionalBlockNode, Node
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty, Nil, StringLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from nextwave_contracts.fields import field

from nextwave_orchestrator.rendering import ENTRY, NOBODY, parsed, path_of

Known = frozenset[str]
"""Paths of which a condition around says that they are there."""
_OPEN = ("traits.", "activity.", ENTRY + ".")
"""What begins the paths of which nobody can say whether they are there."""
_JOINING = frozenset({"append", "prepend"})
"""Filters that make something of nothing, so that a default after them is never shown."""


def bare(source: str, part: str) -> list[str]:
    """The paths of these fields, in their order."""
    walk = _Walk(parsed(source, part))
    return walk.found


class _Walk:
    """One way through a template, top to bottom; what `assign` names stands for what it was given."""

    def __init__(self, template: BoundTemplate) -> None:
        self.found: list[str] = []
        self._given: dict[str, str] = {}
        self._context = RenderContext(template)
        for node in template.nodes:
            self._visit(node, frozenset())

    def _visit(self, node: Node, known: Known) -> None:
        match node:
            case IfNode():
                self._visit(node.consequence, known | self._asserted(node.condition))
                self._others(node, known | self._absent_otherwise(node.condition))
            case UnlessNode():
                self._visit(node.consequence, known | self._absent_otherwise(node.condition))
                self._others(node, known | self._asserted(node.condition))
            case OutputNode():
                self.found += self._shown(node.expression, known)
            case AssignNode():
                self._assign(node, known)
            case MultiExpressionBlockNode():
                self._visit(node.block, known)
            case CaseNode():
                subject = self._named(node.expression)
                for block in node.blocks:
                    self._visit(block, known | subject if isinstance(block, MultiExpressionBlockNode) else known)
            case _:
                for child in node.children(self._context, include_partials=False):
                    self._visit(child, known)

    def _others(self, node: IfNode | UnlessNode, known: Known) -> None:
        """The `elsif`s and the `else`."""
        for other in node.alternatives:
            assert isinstance(other, ConditionalBlockNode)
            self._visit(other.block, known | self._asserted(other.expression))
        if node.default is not None:
            self._visit(node.default, known)

    def _assign(self, node: AssignNode, known: Known) -> None:
        missing = list(self._shown(node.expression, known))
        self._given.pop(node.name, None)
        if missing:
            self._given[node.name] = missing[0]

    def _shown(self, expression: Any, known: Known) -> Iterator[str]:
        """The paths that this shows or joins to something, where nothing may be there."""
        if not isinstance(expression, FilteredExpression):
            return
        missing = self._missing(expression.left, known)
        for one in expression.filters or ():
            arguments = [self._missing(argument.value, known) for argument in one.args]
            if one.name == "default":
                missing = next(iter(arguments), "") if missing else ""
                continue
            if one.name in _JOINING:
                yield from filter(None, (missing, *arguments))
            if one.name in _JOINING or one.name == "size":
                missing = ""
        if missing:
            yield missing

    def _missing(self, expression: Any, known: Known) -> str:
        """The path that is shown, where it may be missing; else nothing."""
        path = self._path(expression)
        if not path or path in known or not may_be_missing(path):
            return ""
        is_counted = isinstance(expression, Path) and expression.path[-1] == "size" and _is_list(path)
        return "" if is_counted else path

    def _path(self, expression: Any) -> str:
        if not isinstance(expression, Path):
            return ""
        path = path_of(expression.path) or ""
        head, dot, rest = path.partition(".")
        return self._given[head] + dot + rest if head in self._given else path

    def _named(self, *expressions: Any) -> Known:
        return frozenset(filter(None, map(self._path, expressions)))

    def _asserted(self, condition: Any) -> Known:
        """The paths that are there where the condition holds."""
        match condition:
            case BooleanExpression():
                return self._asserted(condition.expression)
            case LogicalAndExpression():
                return self._asserted(condition.left) | self._asserted(condition.right)
            case LogicalOrExpression():
                return self._asserted(condition.left) & self._asserted(condition.right)
            case Path():
                return frozenset() if self._is_whole_list(condition) else self._named(condition)
            case _:
                return self._compared(condition)

    def _compared(self, condition: Any) -> Known:
        """What is compared with something is there, and so is what is not nothing."""
        is_something = isinstance(condition, EqExpression | ContainsExpression | GtExpression | GeExpression | LtExpression | LeExpression)
        if is_something and not _is_nothing(condition.left) and not _is_nothing(condition.right):
            return self._named(condition.left, condition.right)
        is_not_nothing = isinstance(condition, NeExpression) and _is_nothing(condition.right)
        return self._named(condition.left) if is_not_nothing else frozenset()

    def _is_whole_list(self, path: Path) -> bool:
        """An empty list is true in Liquid."""
        return _is_list(self._path(path)) and path.path[-1] not in {"first", "last"} and not isinstance(path.path[-1], int)

    def _absent_otherwise(self, condition: Any) -> Known:
        """The paths that are there where the condition does not hold: it says that they are not."""
        match condition:
            case BooleanExpression():
                return self._absent_otherwise(condition.expression)
            case LogicalOrExpression():
                return self._absent_otherwise(condition.left) | self._absent_otherwise(condition.right)
            case EqExpression() if _is_nothing(condition.right):
                return self._named(condition.left)
            case _:
                return frozenset()


def may_be_missing(path: str) -> bool:
    """Whether there are customers of whom a field of the catalogue, or of the entry's event, is not known. A local name is none."""
    if path.startswith(_OPEN):
        return True
    try:
        return _is_missing(field(path).read(NOBODY))
    except KeyError:
        return False


@lru_cache(maxsize=4096)
def _is_list(path: str) -> bool:
    try:
        return field(path).type == "list"
    except KeyError:
        return False


def _is_missing(value: object) -> bool:
    return value is None or value in ("", (), [])


def absent(sources: Iterable[tuple[str, str]], context: dict[str, Any]) -> list[str]:
    """Of the fields that these `(source, part)` ask for, those of which this context has nothing, sorted."""
    asked = {path for source, part in sources for path in _asked(source, part)}
    return sorted(path for path in asked if _is_missing(_at(context, path)))


def _asked(source: str, part: str) -> Iterator[str]:
    for variables in parsed(source, part).analyze(include_partials=False).globals.values():
        yield from filter(None, (path_of(variable.segments) for variable in variables))


def _at(context: dict[str, Any], path: str) -> Any:
    node: Any = context
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else None
    return node


def _is_nothing(expression: Any) -> bool:
    return isinstance(expression, Nil | Empty | Blank) or (isinstance(expression, StringLiteral) and not expression.value)
