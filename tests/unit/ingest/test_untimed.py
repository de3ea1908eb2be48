"""What nobody can date: whatever stops contacts counts, and what lifts a stop, or says nothing of it, is refused."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_ingest.admission import RefusedError, Report
from nextwave_ingest.occurrence import Occurrence
from nextwave_ingest.untimed import untimed
from unit.ingest.fakes import NOW

FAULT = RefusedError("/time", "is no time")


def reported(kind: str, data: dict[str, Any]) -> Report:
    return Report("e-1", "shop", kind, ("customer_id:7",), Occurrence(NOW, suspect=False), data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("consent.withdrawn", {}),
        ("complaint.opened", {"reference": "t-1"}),
        ("call.wrapped_up", {"refusal": True}),
        ("call.wrapped_up", {"complaint": True}),
        ("sms.received", {"body": "STOP"}),
        ("sms.received", {"body": "leave me alone"}),
    ],
)
def test_whatever_stops_contacts_counts_from_its_reception(kind: str, data: dict[str, Any]) -> None:
    report = reported(kind, data)
    assert untimed(report, FAULT) is report


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("consent.granted", {"channel": "email", "purpose": "marketing"}),
        ("complaint.resolved", {"reference": "t-1"}),
        ("sms.received", {"body": "START"}),
        ("sms.received", {"body": "hello"}),
        ("song.played", {}),
    ],
)
def test_what_lifts_a_stop_or_is_none_is_refused(kind: str, data: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        untimed(reported(kind, data), FAULT)
    assert refused.value is FAULT
