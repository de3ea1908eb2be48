"""What a part of the benchmark found: a subject against a limit measured beside it, over rounds; JSON for gates, tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round: the two things measured one after the other, and the processor time of every process per event (microseconds)."""

    subject: float
    limit: float
    cpu: Mapping[str, float]
    more: Mapping[str, float] = field(default_factory=dict)
    """Other figures of the round; their medians are reported."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a part measures. A ratio is `subject / limit` where more is better and `limit / subject` where less is: 1 is the limit."""

    name: str
    unit: str
    subject: str
    limit: str
    goal: float
    goal_of: Literal["ratio", "subject"] = "ratio"
    less_is_better: bool = False

    def ratio(self, one: Round) -> float:
        """How near one round came to the limit."""
        return one.limit / one.subject if self.less_is_better else one.subject / one.limit


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `parts` in the JSON report. `docs/performance.md` says what each field means."""

    name: str
    subject: float
    limit: float
    ratio: float
    ratio_min: float
    ratio_max: float
    goal: float
    cpu_us_per_event: dict[str, float]
    unit: str
    goal_of: str
    met: bool
    subject_is: str
    limit_is: str
    rounds: int
    more: dict[str, float]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON report."""

    calibration: dict[str, Any]
    parts: list[Part]
    memory_mb: dict[str, float]
    seconds: float


def part_of(measure: Measure, rounds: Sequence[Round]) -> Part:
    """The medians and the range of the rounds."""
    ratios = [measure.ratio(one) for one in rounds]
    subject, ratio = median(one.subject for one in rounds), median(ratios)
    reached = ratio if measure.goal_of == "ratio" else subject
    return Part(
        name=measure.name,
        subject=round(subject, 3),
        limit=round(median(one.limit for one in rounds), 3),
        ratio=round(ratio, 4),
        ratio_min=round(min(ratios), 4),
        ratio_max=round(max(ratios), 4),
        goal=measure.goal,
        cpu_us_per_event=_medians([one.cpu for one in rounds]),
        unit=measure.unit,
        goal_of=measure.goal_of,
        met=reached <= measure.goal if measure.goal_of == "subject" else reached >= measure.goal,
        subject_is=measure.subject,
        limit_is=measure.limit,
        rounds=len(rounds),
        more=_medians([one.more for one in rounds]),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie, by nearest rank. Raises `ValueError` for no values."""
    if not values:
        raise ValueError("there is nothing to take a percentile of")
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def show(report: Report, console: Console) -> None:
    """Prints the report for people."""
    table = Table(title="subject against limit, measured in turns; 1.00 is the limit")
    for heading in ("part", "subject", "limit", "unit", "ratio", "range", "goal", ""):
        table.add_column(heading, justify="left" if heading in ("part", "unit", "") else "right")
    for part in report.parts:
        goal = f"ratio ≥ {part.goal:g}" if part.goal_of == "ratio" else f"≤ {part.goal:g} {part.unit}"
        span = f"{part.ratio_min:.2f} to {part.ratio_max:.2f}"
        verdict = "[green]met[/]" if part.met else "[red]missed[/]"
        table.add_row(part.name, f"{part.subject:,.1f}", f"{part.limit:,.1f}", part.unit, f"{part.ratio:.2f}", span, goal, verdict)
    console.print(table)
    console.print(_costs(report))
    known = report.calibration
    console.print(
        f"calibration: {known['median']:.1f} ({known['min']:.1f} to {known['max']:.1f}) {known['unit']}; {known['cpus']} processors; "
        f"load {known['load_before']:.1f} before, {known['load_after']:.1f} after; the run took {report.seconds:.0f} s"
    )


def _costs(report: Report) -> Table:
    table = Table(title="processor time per event, µs")
    names = list(dict.fromkeys(name for part in report.parts for name in part.cpu_us_per_event))
    for heading in ("part", *names, "in all"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part in report.parts:
        cells = [f"{part.cpu_us_per_event[name]:,.0f}" if name in part.cpu_us_per_event else "" for name in names]
        table.add_row(part.name, *cells, f"{sum(part.cpu_us_per_event.values()):,.0f}")
    if report.memory_mb:
        cells = [f"{report.memory_mb[name]:,.0f}" if name in report.memory_mb else "" for name in names]
        table.add_row("memory at the end, MB", *cells, f"{sum(report.memory_mb.values()):,.0f}")
    return table


def _medians(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: round(median(row[name] for row in rows if name in row), 2) for name in names}
