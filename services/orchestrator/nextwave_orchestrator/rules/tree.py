"""A checked rule as a tree of frozen nodes; each knows where it stands in what was written, so that every answer can point at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nextwave_contracts.fields import Field

from nextwave_orchestrator.rules.operators import Operator


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is."""

    pointer: str
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when one part is."""

    pointer: str
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class NotOf:
    """True when its part is not."""

    pointer: str
    part: Rule


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A leaf over the profile. `operand` is what `written` means to the operator; a missing value (None) passes `exists: false` alone."""

    pointer: str
    field: Field
    operator: Operator
    operand: Any
    written: Any


@dataclass(frozen=True, slots=True)
class DataTest:
    """A condition on an event's data. `path` is tried as one key first, then `steps` as a way into nested objects."""

    pointer: str
    path: str
    steps: tuple[str, ...]
    operator: Operator
    operand: Any
    written: Any


@dataclass(frozen=True, slots=True)
class EventTest:
    """A leaf over the history: at least `at_least` events of `type` that pass `where`, not older than `within` (None: ever)."""

    pointer: str
    type: str
    where: tuple[DataTest, ...]
    within: timedelta | None
    at_least: int
    within_written: str = ""


Rule = AllOf | AnyOf | NotOf | FieldTest | EventTest
