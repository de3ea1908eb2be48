"""What stops contacts, and what lifts a stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nextwave_ingest.stops import Stop, stops


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
        ("sms.received", {"wish": "opt_out"}, (Stop("opt_out", "sms", unconfirmed=True),)),
        ("email.received", {"wish": "opt_out"}, (Stop("opt_out", "email"),)),
        ("chat.message_received", {"wish": "opt_out"}, (Stop("opt_out", "chat"),)),
        ("chat.message_received", {"wish": "opt_out", "everywhere": True}, (Stop("opt_out"),)),
        ("message.left", {"wish": "opt_out"}, (Stop("opt_out"),)),
        ("email.received", {"wish": "opt_in"}, (Stop("opt_in", "email"),)),
        ("sms.received", {"asked": "help"}, ()),
        ("email.received", {"wish": "review", "review": "email-1"}, (Stop("review", "email", reference="email-1"),)),
        ("message.left", {"wish": "review", "review": "all-1"}, (Stop("review", reference="all-1"),)),
        ("refusal.reviewed", {"reference": "sms-1", "refused": False}, (Stop("review_lifted", reference="sms-1"),)),
        (
            "refusal.reviewed",
            {"reference": "sms-1", "refused": True, "channel": "email"},
            (Stop("opt_out", "email", reference="sms-1"), Stop("review_lifted", reference="sms-1")),
        ),
        (
            "refusal.reviewed",
            {"reference": "sms-1", "refused": True},
            (Stop("opt_out", "sms", reference="sms-1"), Stop("review_lifted", reference="sms-1")),
        ),
        (
            "refusal.reviewed",
            {"reference": "all-1", "refused": True, "channel": "fax"},
            (Stop("opt_out", reference="all-1"), Stop("review_lifted", reference="all-1")),
        ),
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


def test_the_end_of_a_review_counts_from_its_reception_and_a_grant_from_its_own_time() -> None:
    assert Stop("review_lifted").counts_from(NOON - timedelta(days=1), NOON) == NOON
    assert Stop("opt_in").counts_from(NOON - timedelta(days=1), NOON) == NOON - timedelta(days=1)
