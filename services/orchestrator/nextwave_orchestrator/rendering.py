"""Liquid as templates are written in it: within limits, without the clock or other templates, over the fields of a profile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import FilterArgumentError
from liquid.filter import liquid_filter
from nextwave_contracts.customers import Churn, Snapshot
from nextwave_contracts.fields import FIELDS

from nextwave_orchestrator.effort import Measured, priced
from nextwave_orchestrator.rules.operators import instant

ENTRY = "entry"
"""Under which templates see the data of the event that let the customer in."""
NOBODY = Snapshot(customer_id="example", version=1, churn=Churn(risk=0.0, band="low", horizon_days=90, model=""))
"""An example customer of whom nothing is known."""
_CLOSED = tuple((f.path.split("."), f.read) for f in FIELDS if "<" not in f.path)
_BREAK = re.compile(r"\r\n?|[\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@liquid_filter
def _date(value: Any, form: str) -> str:
    """`strftime` of an instant, in UTC; empty for what is none. Unlike Liquid's own it never asks for the time."""
    read = instant(value)
    if read is None:
        return ""
    try:
        return read.strftime(str(form))
    except ValueError as wrong:
        raise FilterArgumentError(str(wrong), token=None) from wrong


class _Environment(Environment):
    """Liquid with limits, and without what reaches outside: other templates, the clock, unescaped output."""

    template_class = Measured
    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = 1_000
    local_namespace_limit = 50_000
    output_stream_limit = 200_000

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in ("include", "render"):
            del self.tags[tag]
        del self.filters["safe"]
        self.add_filter("date", _date)
        self.filters = {name: priced(name, one) for name, one in self.filters.items()}


_PLAIN = _Environment()
_HTML = _Environment(autoescape=True)


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
