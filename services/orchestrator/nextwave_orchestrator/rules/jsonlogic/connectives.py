"""And, or and not over conditions that are rules or settled already, so that what is always or never so leaves no trace in a rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Truth = dict[str, Any] | bool
"""When something holds: a rule as it is written, or always, or never."""


def both(parts: Iterable[Truth]) -> Truth:
    """When all hold; always for none."""
    rules: list[Any] = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            rules.append(part)
    return True if not rules else rules[0] if len(rules) == 1 else {"all": rules}


def either(parts: Iterable[Truth]) -> Truth:
    """When one holds; never for none."""
    rules: list[Any] = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            rules.append(part)
    return False if not rules else rules[0] if len(rules) == 1 else {"any": rules}


def negate(part: Truth) -> Truth:
    """When it does not hold."""
    if isinstance(part, bool):
        return not part
    inner: Truth = part.get("not", {"not": part})
    return inner
