"""What stops contacts, and what lifts a stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nextwave_ingest.stops import Stop, stops, wish


@pytest.mark.parametrize(
    "text", ["STOP", " stop. ", "Stop All", "opt-out", "OPT OUT", "unsubscribe!", "Quit", "STOP texting me", "END", "Arrêt"]
)
def test_a_stop_word_is_heard_however_it_is_written(text: str) -> None:
    assert wish(text) == "opt_out"


@pytest.mark.parametrize(
    "text", ["", "cancel my second order", "end of the month is fine", "please do not", "ok", "restart", "start the engine"]
)
def test_a_text_that_is_no_stop_changes_nothing(text: str) -> None:
    assert wish(text) is None


def test_start_and_unstop_undo_a_stop() -> None:
    assert (wish("START"), wish("unstop")) == ("opt_in", "opt_in")


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("consent.withdrawn", {"channel": "email", "purpose": ""}, (Stop("opt_out", "email"),)),
        ("consent.granted", {"channel": "", "purpose": "marketing"}, (Stop("opt_in", "", "marketing"),)),
        ("complaint.opened", {"reference": "T-1"}, (Stop("complaint", reference="T-1"),)),
        ("complaint.resolved", {"reference": "T-1", "satisfied": False}, (Stop("complaint_lifted", reference="T-1"),)),
        ("call.wrapped_up", {"complaint": True, "refusal": True}, (Stop("complaint", reference="W-1"), Stop("opt_out", "call"))),
        ("call.wrapped_up", {"disposition": "accepted"}, ()),
        ("order.placed", {}, ()),
    ],
)
def test_each_stop_is_raised_by_its_touchpoint(kind: str, data: dict[str, Any], expected: tuple[Stop, ...]) -> None:
    assert stops(kind, data, "W-1") == expected


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STOPPED = {"body": "STOP", "wish": "opt_out"}
SAID_BY_TEXT = Stop("opt_out", channel="sms", unconfirmed=True)


@pytest.mark.parametrize(
    ("kind", "data", "unconfirmed"),
    [
        ("sms.received", STOPPED, True),
        ("sms.received", {**STOPPED, "OptOutType": ""}, True),
        ("sms.received", {**STOPPED, "OptOutType": "STOP"}, False),
        ("sms.received", {**STOPPED, "opt_out_type": "STOP"}, False),
        ("sms.received", {"body": "START", "wish": "opt_in"}, False),
        ("consent.withdrawn", {"channel": "sms", "purpose": ""}, False),
        ("call.wrapped_up", {"refusal": True}, False),
    ],
)
def test_a_stop_by_text_that_no_provider_confirmed_is_to_be_confirmed(kind: str, data: dict[str, Any], unconfirmed: bool) -> None:
    assert [stop.unconfirmed for stop in stops(kind, data, "W-1")] == [unconfirmed]


@pytest.mark.parametrize(
    ("age", "left"),
    [
        (timedelta(0), timedelta(minutes=5)),
        (timedelta(minutes=4), timedelta(minutes=1)),
        (timedelta(minutes=5), None),
        (timedelta(365), None),
    ],
)
def test_a_stop_by_text_is_confirmed_within_five_minutes_or_never(age: timedelta, left: timedelta | None) -> None:
    assert SAID_BY_TEXT.confirm_by(NOON - age, NOON) == (None if left is None else NOON + left)
    assert Stop("opt_out", channel="sms").confirm_by(NOON - age, NOON) is None


def test_a_clock_that_is_ahead_wins_no_time() -> None:
    assert SAID_BY_TEXT.confirm_by(NOON + timedelta(hours=1), NOON) == NOON + timedelta(minutes=5)
