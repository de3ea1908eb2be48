"""Shows how far the demo is: a table that is redrawn in a terminal, a line every few seconds anywhere else."""

from __future__ import annotations

from datetime import datetime
from time import monotonic
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from nextwave_local.demo.standing import Standing

LINE_SECONDS = 5.0
REFRESH_PER_SECOND = 4


class View:
    """Use it as a context; `show` may be called as often as there is something new."""

    def __init__(self, console: Console, items: int) -> None:
        self._console = console
        self._items = items
        self._live = Live(console=console, refresh_per_second=REFRESH_PER_SECOND, transient=True) if console.is_terminal else None
        self._said_at = 0.0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, now: datetime, accepted: int, standing: Standing) -> None:
        """`now` is business time, `accepted` the posts that a door took."""
        if self._live:
            self._live.update(_table(now, accepted, self._items, standing))
        elif monotonic() - self._said_at >= LINE_SECONDS:
            self._said_at = monotonic()
            self._console.print(_line(now, accepted, standing), highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(text, highlight=False, soft_wrap=True)


def _line(now: datetime, accepted: int, standing: Standing) -> str:
    return (
        f"{now:%Y-%m-%d}  accepted {accepted}  taken in {standing.taken_in}  customers {standing.customers}"
        f"  candidates {standing.candidates}  contacts {sum(standing.deliveries.values())}  outcomes {sum(standing.outcomes.values())}"
    )


def _table(now: datetime, accepted: int, items: int, standing: Standing) -> Table:
    table = Table(title=f"Nextwave, {now:%A %d %B %Y}", show_header=False, title_justify="left")
    done = int(40 * min(1.0, accepted / max(1, items)))
    rows = {
        "replayed": f"{'█' * done}{'░' * (40 - done)}",
        "touchpoints": f"{accepted} accepted, {standing.taken_in} taken in, {standing.duplicates_dropped} repetitions dropped",
        "customers": f"{standing.customers}: {_counts(standing.bands)}",
        "stages": _counts(standing.stages),
        "candidates": f"{standing.candidates}: {_counts(standing.results)}",
        "contacts": _counts(standing.deliveries),
        "outcomes": _counts(standing.outcomes),
        "people": f"{standing.people_accepted} touchpoints of theirs, {standing.people_waiting} deeds to come",
    }
    for name, text in rows.items():
        table.add_row(name, text)
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1])) or "none yet"
