"""What becomes of an item whose time nobody tells or can read: no stop is lost for it, and no grant outweighs a stop by it. PURE."""

from __future__ import annotations

from msgspec.structs import replace
from nextwave_contracts.consents import WITHDRAWN
from nextwave_contracts.messages_in import CHANNEL_OF

from nextwave_ingest.admission import RefusedError, Report, admit
from nextwave_ingest.stops import STOPS

_SAID_AGAIN = frozenset({*CHANNEL_OF, WITHDRAWN})


def untimed(report: Report, fault: RefusedError) -> Report:
    """The report, which is dated at its reception, where it stops contacts; a grant of unknown age lifts nothing. Raises the `fault`."""
    if stops(report):
        return report
    raise fault


def unnamed(report: Report) -> Report:
    """The report of what neither an id nor a time tells from the same sent again.

    Of words, a stop is another one in each second of its reception, and so is a withdrawal: who says STOP, START and STOP again means each.
    Other words are the same each time and grant nothing, as a START that its provider repeats would count from now, and lift the STOP that
    was said after it. Whatever is no words is the same each time.
    """
    if report.occurrence.distance is not None or report.type not in _SAID_AGAIN:
        return report
    if stops(report):
        return replace(report, id=f"{report.id}/{report.occurrence.at:%Y%m%dT%H%M%S}")
    return replace(report, repeatable=True)


def stops(report: Report) -> bool:
    """Whether it stops contacts. Raises `RefusedError`."""
    return any(hold.kind in STOPS for hold in admit(report, report.occurrence.at, str).holds)
