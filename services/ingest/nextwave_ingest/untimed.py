"""What becomes of an item whose time nobody tells or can read: no stop is lost for it, and no grant outweighs a stop by it. PURE."""

from __future__ import annotations

from msgspec.structs import replace

from nextwave_ingest.admission import RefusedError, Report, admit
from nextwave_ingest.stops import STOPS


def untimed(report: Report, fault: RefusedError) -> Report:
    """The report, which is dated at its reception, where it stops contacts; a grant of unknown age lifts nothing. Raises the `fault`."""
    if stops(report):
        return report
    raise fault


def unnamed(report: Report) -> Report:
    """The report of words that neither an id nor a time tells from the same words sent again.

    A stop is another one in each second of its reception: who says STOP, START and STOP again means each. Anything else is the same each
    time and grants nothing, as a START that its provider repeats would count from now, and lift the STOP that was said after it.
    """
    if stops(report):
        return replace(report, id=f"{report.id}/{report.occurrence.at:%Y%m%dT%H%M%S}")
    return replace(report, repeatable=True)


def stops(report: Report) -> bool:
    """Whether it stops contacts. Raises `RefusedError`."""
    return any(hold.kind in STOPS for hold in admit(report, report.occurrence.at, str).holds)
