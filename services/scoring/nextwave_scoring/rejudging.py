"""When another model or house is in force, every customer is judged anew, page by page, so that the silent ones are not forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nextwave_runtime.application import Timer

REJUDGE = "rejudge"
"""Kind of the timers; the key is the id after which the page begins, empty for the first."""
PAGE_MAX = 2_000
"""Customers that a page walks over; the owner of each partition judges its own among them."""
PAUSE = timedelta(milliseconds=200)
"""Between two pages, business time: what happens now goes first."""


@dataclass(frozen=True, slots=True)
class Page:
    """The customers of this partition among the next `PAGE_MAX`; `last` is the last id of all, empty when there are no more."""

    ids: Sequence[str]
    last: str


def first_pages(at: datetime, partitions: int) -> list[Timer]:
    """One for the owner of each partition."""
    return [Timer(partition, at, "", REJUDGE) for partition in range(partitions)]


def next_page(timer: Timer, page: Page, now: datetime) -> list[Timer]:
    """The page after this one, where there is one."""
    return [Timer(timer.partition, now + PAUSE, page.last, REJUDGE)] if page.last else []
