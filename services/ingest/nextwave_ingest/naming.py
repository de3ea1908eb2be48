"""Names of types that are nearly one with a built-in meaning: what was meant would not be done, and nobody would be told. PURE."""

from __future__ import annotations

from functools import lru_cache

from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES


def spelt(kind: str) -> str:
    """The type with a built-in meaning that differs in case only; else nothing."""
    lower = kind.lower()
    return lower if lower != kind and lower in TOUCHPOINT_TYPES else ""


@lru_cache(maxsize=1024)
def near(kind: str) -> str:
    """The type with a built-in meaning that is one letter away (missing, too much, another, two swapped), in any case; else nothing."""
    if kind in TOUCHPOINT_TYPES:
        return ""
    lower = kind.lower()
    return next((meant for one in (lower, *_without_a_letter(lower)) if (meant := _BY_FORM.get(one))), "")


def _without_a_letter(kind: str) -> list[str]:
    return [kind[:place] + kind[place + 1 :] for place in range(len(kind))]


_BY_FORM = {form: kind for kind in TOUCHPOINT_TYPES for form in _without_a_letter(kind)} | {kind: kind for kind in TOUCHPOINT_TYPES}
"""Types by themselves and by each of them without one letter: what is one letter away shares one of these with it."""
