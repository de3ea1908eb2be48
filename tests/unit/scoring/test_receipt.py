"""What a door's wrong clock does to a touchpoint: nothing that its place in the log does not say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Taken
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.receipt import received
from nextwave_scoring.unit import Unit

from .making import START, touchpoint

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OFF = st.sampled_from([-26, -1, 0, 1, 26]).map(lambda hours: hours * HOUR)
SAYINGS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("consent.granted", {"channel": "email", "purpose": "marketing"}, "consent.withdrawn", {"channel": "email", "purpose": "marketing"}),
    ("sms.received", {"wish": "opt_in"}, "sms.received", {"wish": "opt_out"}),
    ("consent.granted", {"channel": "call", "purpose": ""}, "call.wrapped_up", {"refusal": True}),
    ("complaint.resolved", {"reference": "t1"}, "complaint.opened", {"reference": "t1"}),
]


def by_a_door(off: timedelta, appended_at: datetime, kind: str, **data: Any) -> Taken:
    """What a door makes whose clock is off: it dates what happens now, and the broker stamps it."""
    shown = appended_at + off
    return Taken(TOUCHPOINTS, 0, 0, appended_at, replace(touchpoint(kind, **data), occurred_at=shown, received_at=shown))


@given(OFF, OFF, st.sampled_from(SAYINGS))
def test_a_stop_never_loses_to_what_was_said_before_it(lifted_off: timedelta, stop_off: timedelta, saying: Any) -> None:
    lifting, lifted, stopping, stopped = saying
    said = [by_a_door(lifted_off, START, lifting, **lifted), by_a_door(stop_off, START + HOUR, stopping, **stopped)]
    for order in (said, said[::-1]):
        unit, fold = Unit(0, 4), Fold(Judge(Only(Baseline(DEFAULT))))
        profile = [fold.take(unit, item) for item in order][-1][-1].message.profile
        assert [c.granted for c in profile.consents] == [False] * len(profile.consents)
        assert len(profile.holds) == (stopping == "complaint.opened")


@given(OFF)
def test_what_happens_now_counts_from_now_at_the_latest(off: timedelta) -> None:
    taken = by_a_door(off, START, "consent.granted")
    seen = received(taken.message, taken.at)
    assert (seen.received_at, min(seen.occurred_at, seen.received_at) <= START) == (START, True)


def judged(occurred_at: datetime, received_at: datetime, *, suspect: bool, claimed: bool) -> bool:
    """Whether the time is suspect once it was received at START."""
    made: Touchpoint = replace(touchpoint(), occurred_at=occurred_at, received_at=received_at, time_suspect=suspect, claimed=claimed)
    return received(made, START).time_suspect


FAR = 130 * DAY


@pytest.mark.parametrize(
    ("occurred_at", "door", "suspect", "claimed", "expected"),
    [
        (START - DAY, START, False, False, False),
        (START - DAY, START, True, False, True),  # its client was a day off: only the door saw that
        (START - 26 * HOUR, START - 26 * HOUR, True, False, False),  # the door was behind, and took a right client to be ahead
        (START + 26 * HOUR, START + 26 * HOUR, True, False, False),  # the door was ahead, and took a right client to be behind
        (START, START + FAR, True, True, False),  # a claim of now, far behind by a door's clock that is far ahead
        (START + FAR, START + FAR, False, False, False),  # no claim, by the same door
        (START - FAR, START - FAR, True, False, False),  # a claim of now, ahead by a door that is far behind
        (START - 30 * DAY, START, False, True, False),
        (START - 30 * DAY - HOUR, START - 26 * HOUR, False, True, True),  # an import by a door that was behind
        (START - 31 * DAY, START + FAR, True, True, True),  # an import by a door that was far ahead
        (START - 31 * DAY + FAR, START + FAR, True, False, True),  # the same, measured
    ],
)
def test_a_doors_wrong_clock_neither_keeps_from_campaigns_nor_lets_imports_trigger_them(
    occurred_at: datetime, door: datetime, suspect: bool, claimed: bool, expected: bool
) -> None:
    assert judged(occurred_at, door, suspect=suspect, claimed=claimed) is expected


@given(OFF)
def test_what_a_door_measured_is_measured_back_from_the_brokers_stamp(off: timedelta) -> None:
    door = START + off
    assert received(replace(touchpoint(), occurred_at=door - HOUR, received_at=door), START).occurred_at == START - HOUR
