"""Prints the report for people; the JSON holds the same numbers."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from nextwave_local.demo.recount import FunnelRow
from nextwave_local.demo.report import Report

FUNNEL = (
    ("accepted", ("accepted",)),
    ("deliv'd", ("delivered",)),
    ("opened", ("opened",)),
    ("clicked", ("clicked",)),
    ("answ'd", ("answered",)),
    ("said no", ("refused", "unsubscribed")),
    ("in vain", ("bounced", "no_answer", "busy", "failed", "expired", "withdrawn")),
)
"""Columns of the funnel, and what they add up; the JSON has each by itself. `accepted` is by the provider."""


def show(console: Console, report: Report) -> None:
    """All of it."""
    console.print(_sums(report))
    for campaign in sorted({row.campaign for row in report.funnel}):
        console.print(_funnel(campaign, [row for row in report.funnel if row.campaign == campaign]))
    console.print(_reasons(report))
    console.print(_checks(report))
    if not report.settled:
        console.print("[yellow]The ring had not come to rest when it was counted: this machine is too slow for this --seconds.[/yellow]")


def _sums(report: Report) -> Table:
    latency = report.latency_ms
    table = Table(title="Half a year", show_header=False, title_justify="left")
    rows = {
        "touchpoints": f"{report.accepted} accepted, {report.taken_in} taken in, {report.lost} lost,"
        f" {report.duplicates_dropped} repetitions dropped",
        "by source": _counts(report.touchpoints_by_source),
        "customers": f"{report.customers}, after {report.merges} merges",
        "bands": _counts(report.bands),
        "stages": _counts(report.stages),
        "": "bands and stages were counted when the last row was in, everything else when the ring had come to rest",
        "campaign runs": _counts(report.runs),
        "goals reached": _counts(report.goals),
        "candidates": f"{report.candidates} = {report.sent} to be sent + {report.deferred} deferred + {report.withheld} withheld",
        "contacts": _counts(report.actions_by_channel),
        "outcomes": _counts(report.outcomes),
        "touchpoint to action": f"p50 {latency.p50:.0f} ms, p99 {latency.p99:.0f} ms of the wall clock ({latency.samples} direct ones)",
        "wall seconds": f"start {report.seconds.start:.0f}, replay {report.seconds.replay:.0f}, drain {report.seconds.drain:.0f},"
        f" count {report.seconds.count:.0f}; {report.speed:,.0f} times real time",
    }
    for name, text in rows.items():
        table.add_row(name, text)
    return table


def _funnel(campaign: str, rows: list[FunnelRow]) -> Table:
    table = Table("wave", "segment", "channel", title=f"Funnel of {campaign}", title_justify="left", padding=0)
    for name in ("decided", *(name for name, _ in FUNNEL), "responded"):
        table.add_column(name, justify="right")
    for row in rows:
        became = (sum(row.became.get(kind, 0) for kind in kinds) for _, kinds in FUNNEL)
        table.add_row(row.wave, row.segment, row.channel, *(str(number or "") for number in (row.sent, *became, row.responded)))
    return table


def _reasons(report: Report) -> Table:
    table = Table("why not", "deferred", "withheld", title="Gate", title_justify="left")
    codes = {code: None for counts in report.gate_reasons.values() for code in counts}
    for code in codes:
        table.add_row(code, *(str(report.gate_reasons[result].get(code, "")) for result in ("defer", "withhold")))
    return table


def _checks(report: Report) -> Table:
    table = Table("", "must agree", "counted", title="Reconciliation", title_justify="left")
    for check in report.reconciliation:
        mark = "[green]yes[/green]" if check.holds else "[red]NO[/red]"
        table.add_row(mark, check.name, ", ".join(f"{name} {number}" for name, number in check.numbers.items()))
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
