"""What becomes of an item whose time nobody can read, at every door: a stop must not be lost to a fault of form. PURE."""

from __future__ import annotations

from nextwave_contracts.holds import HoldKind

from nextwave_ingest.admission import RefusedError, Report, admit

STOPS: frozenset[HoldKind] = frozenset({"opt_out", "complaint", "review"})


def untimed(report: Report, fault: RefusedError) -> Report:
    """The report, which is dated at its reception, where it stops contacts; a grant of unknown age lifts nothing. Raises the `fault`."""
    if any(hold.kind in STOPS for hold in admit(report, report.occurrence.at, str).holds):
        return report
    raise fault
