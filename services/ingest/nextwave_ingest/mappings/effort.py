"""What the rules of a mapping may take: of one item, and of all the items of a body, so that no body keeps others waiting. PURE."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from nextwave_ingest.admission import RefusedError

LOOK = 8
"""Steps of looking at one value by a path, some 5 us; a step of Liquid takes up to some 2 us."""
EFFORT_MAX = 50_000 * LOOK
"""Steps of all paths and all Liquid of a mapping over one item."""
BODY_MAX = 10
"""A body may take as many steps as so many items that take all they may."""
AT_ONCE_MAX = 25_000
"""Steps of an item that may keep others waiting; what takes more is done beside them."""


class SpentError(Exception):
    """The rules have taken as much as they may."""

    def __init__(self, *, of_body: bool) -> None:
        self._of_body = of_body

    def refused(self, written: str) -> RefusedError:
        """By which path or Liquid."""
        most, what = (BODY_MAX * EFFORT_MAX, "all items of a body") if self._of_body else (EFFORT_MAX, "it")
        detail = f'"{written:.80}" and what is read before it take more effort than to look at {most // LOOK:,} values of {what}'
        return RefusedError("", f"{detail}; write the ways in full, shorten loops, or send less at once", "too_large")


class LongError(Exception):
    """It takes long: begin again where nobody waits for it."""


class Meter:
    """What the rules may still take of the item under way, and of its body. Unless it is `patient` it raises `LongError` at a long item."""

    def __init__(self, *, patient: bool = True) -> None:
        self.patient = patient
        self.body = BODY_MAX * EFFORT_MAX
        self.at_an_item()

    def at_an_item(self, times: int = 1) -> None:
        """From now on another item is read, so many times."""
        self.item = EFFORT_MAX * times
        self._at_once = AT_ONCE_MAX

    def spend(self, steps: int, *, of_item: bool = True) -> None:
        """Raises `SpentError`, and `LongError`, before which nothing counts as taken of the body."""
        self._at_once -= steps
        if self._at_once < 0 and not self.patient:
            raise LongError
        self.item, self.body = max(self.item - steps * of_item, -1), max(self.body - steps, -1)
        if self.body < 0 or (of_item and self.item < 0):
            raise SpentError(of_body=self.body < 0)


_meter: ContextVar[Meter | None] = ContextVar("what measures the rules under way", default=None)


@contextmanager
def measured(meter: Meter) -> Iterator[None]:
    """Within, what the rules take is measured by this; else each value has all that an item may take."""
    before = _meter.set(meter)
    try:
        yield
    finally:
        _meter.reset(before)


def left() -> int:
    """Values that may still be looked at."""
    return _current().item // LOOK


def look(values: int) -> None:
    """So many values are looked at. Raises `SpentError` and `LongError`."""
    _current().spend(values * LOOK)


def step(steps: int) -> None:
    """So many steps of Liquid's loops and filters. Raises `SpentError` and `LongError`."""
    _current().spend(steps)


def render(steps: int) -> None:
    """A text of so many steps, which are taken of the body alone: they are few in an item, and a stop may stand in it. Raises as `step`."""
    _current().spend(steps, of_item=False)


def _current() -> Meter:
    return _meter.get() or Meter()
