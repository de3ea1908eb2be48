"""Liquid as people may write it into documents: within limits, without the clock or other templates."""

from __future__ import annotations

from typing import Any

from liquid import Environment
from liquid.exceptions import FilterArgumentError
from liquid.filter import liquid_filter

from nextwave_contracts.instants import instant
from nextwave_contracts.liquid_effort import Measured, priced


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


class BoundedEnvironment(Environment):
    """Liquid with limits, and without what reaches outside: other templates, the clock, unescaped output."""

    template_class = Measured
    effort_max = 200_000
    """Steps of rendering one part: characters, digits and items that filters take in and make, and what runs once more in a loop."""
    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = 1_000
    local_namespace_limit = 50_000
    output_stream_limit = 200_000

    def charge(self, steps: int) -> None:
        """Is told of each step, for what bounds several parts together; it may raise to end the rendering."""

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in ("include", "render"):
            del self.tags[tag]
        del self.filters["safe"]
        self.add_filter("date", _date)
        self.filters = {name: priced(name, one) for name, one in self.filters.items()}
