"""Liquid as templates are written in it: within limits, without the clock or other templates, over the fields of a profile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate
from nextwave_contracts.customers import Churn, Snapshot
from nextwave_contracts.fields import FIELDS
from nextwave_contracts.liquid_environment import BoundedEnvironment

ENTRY = "entry"
"""Under which templates see the data of the event that let the customer in."""
NOBODY = Snapshot(customer_id="example", version=1, churn=Churn(risk=0.0, band="low", horizon_days=90, model=""))
"""An example customer of whom nothing is known."""
_CLOSED = tuple((f.path.split("."), f.read) for f in FIELDS if "<" not in f.path)
_BREAK = re.compile(r"\r\n?|[\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


_PLAIN = BoundedEnvironment()
_HTML = BoundedEnvironment(autoescape=True)


@lru_cache(maxsize=4096)
def parsed(source: str, part: str) -> BoundTemplate:
    """One part (`subject`, `text`, `html`). Raises `LiquidError` or `RecursionError`."""
    return (_HTML if part == "html" else _PLAIN).from_string(source)


def rendered(source: str, part: str, context: Mapping[str, Any]) -> str:
    """The part without control characters, which headers, carriers and XML refuse; whatever breaks a line is a newline.

    Raises what Liquid raises.
    """
    text = parsed(source, part).render(context)
    return _CONTROL.sub("", _BREAK.sub("\n", text))


def context_of(profile: Snapshot, entry: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What templates see: the fields of the catalogue, nested by their paths, and the entry's event."""
    context: dict[str, Any] = {"activity": profile.activity, "traits": profile.traits}
    for path, read in _CLOSED:
        node = context
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = read(profile)
    return {**context, ENTRY: entry or {}}


def path_of(segments: Iterable[Any]) -> str | None:
    """The field's path: names up to the first index; None when a segment is itself a variable."""
    names: list[str] = []
    for segment in segments:
        if isinstance(segment, int) or segment in ("first", "last", "size"):
            break
        if not isinstance(segment, str):
            return None
        names.append(segment)
    return ".".join(names)
