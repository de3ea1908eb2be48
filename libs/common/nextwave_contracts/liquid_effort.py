"""What rendering a template may cost: Liquid's own limits mean neither what filters make nor what stands inside a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, wraps
from typing import Any

from liquid import BoundTemplate, RenderContext
from liquid.ast import Node
from liquid.exceptions import ResourceLimitError
from liquid.expression import Expression

_CALL = 10
"""Steps of a filter's call itself."""

Filter = Callable[..., Any]


class _Effort(RenderContext):
    """One rendering, and what it has cost."""

    spent = 0

    def spend(self, steps: int) -> None:
        """Raises `ResourceLimitError`, which is a `LiquidError`, when that is too much."""
        self.spent += steps
        if self.spent > self.env.effort_max:  # type: ignore[attr-defined]  # see BoundedEnvironment
            raise ResourceLimitError("it takes too much effort: shorten loops, and texts and numbers that go through filters", token=None)
        self.env.charge(steps)  # type: ignore[attr-defined]

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """A loop begins."""
        super().raise_for_loop_limit(length)
        assert isinstance(self.template, Measured)
        self.spend(length * self.template.steps)


class Measured(BoundTemplate):
    """A template whose rendering is bounded."""

    context_class = _Effort

    @cached_property
    def steps(self) -> int:
        """Tags, outputs, texts and what they name: no pass of a loop takes more."""
        return _steps(self.nodes, RenderContext(self))


def _steps(nodes: Iterable[Node], context: RenderContext) -> int:
    return sum(1 + sum(map(_parts, node.expressions())) + _steps(node.children(context, include_partials=False), context) for node in nodes)


def _parts(expression: Expression) -> int:
    return 1 + sum(map(_parts, expression.children()))


def priced(name: str, made_by: Filter) -> Filter:
    """The filter, paid for before it makes something."""

    @wraps(made_by)
    def call(left: object, *given: object, context: _Effort, **named: object) -> object:
        context.spend(_CALL + _price(name, left, given))
        made = made_by(left, *given, **named)
        context.spend(_size(made))
        return made

    call.with_context = True  # type: ignore[attr-defined]
    return call


def _price(name: str, left: object, given: Iterable[object]) -> int:
    """What it takes in, as often as it goes through it."""
    others = sum(map(_size, given))
    if name == "default":  # it takes what is missing, which may raise when it is asked for its size
        return others
    taken = _size(left)
    match name:
        case "join" | "replace" | "times" | "divided_by" | "modulo":
            return (1 + taken) * (1 + others)
        case "date":  # a width in its form may take 256 characters for each of its own
            return taken + 64 * others
        case "uniq":
            return taken * len(left) if isinstance(left, list | tuple) else taken
        case "strip_html":
            return taken * (1 + str(left).count("<"))
        case _:
            return taken + others


def _size(value: object) -> int:
    match value:
        case str():
            return len(value)
        case int():
            return 1 + value.bit_length() // 3
        case range():
            return max(0, value.stop - value.start) * (1 + _size(value.stop))
        case list() | tuple():
            return len(value) + sum(map(_size, value))
        case Mapping():
            return len(value) + sum(map(_size, value.keys())) + sum(map(_size, value.values()))
        case _:
            return 1
