"""Timers of customers: what they wait for, and that one whose message was rejected is not the end of a run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nextwave_contracts.decisions import RunEnded, WaveClosed
from nextwave_orchestrator.campaigns.checks import policy_faults
from nextwave_orchestrator.campaigns.definition import Policy
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_a_wave_whose_close_timer_was_lost_closes_at_the_next_word_a_day_later() -> None:
    house = House(catalogue(campaign()))
    house.touch("cart.updated")
    (lost,) = [timer for timer in house.timers if timer.kind == "close"]
    house.timers.remove(lost)
    house.now = lost.due_at + 24 * HOUR
    house.touch("page.viewed")
    house.wait(house.now)
    assert house.run.wave == "tell"
    house.now += timedelta(seconds=1)
    house.touch("page.viewed")
    house.wait(house.now)
    assert [closed.at for closed in house.all(WaveClosed)] == [lost.due_at]
    assert [ended.reason for ended in house.all(RunEnded)] == ["completed"]


ENTRIES: list[tuple[str, dict[str, Any]]] = [
    ("close", {"event": "page.viewed"}),
    ("date", {"date": {"of": "birthday"}}),
    ("crossing", {"left": {"segment": ["those"]}}),
    ("scheduled", {"schedule": {"at": "2026-06-15T18:00"}}),
]


@pytest.mark.parametrize(("kind", "on"), ENTRIES)
def test_what_ends_a_window_or_comes_by_time_waits_until_everything_received_up_to_then_was_read(kind: str, on: dict[str, Any]) -> None:
    those = {"key": "those", "rule": {"event": "page.viewed", "within": "30d"}}
    audience = {"segment": "those"} if kind == "scheduled" else {}
    entry = {"on": on} | ({"audience": audience} if audience else {})
    house = House(catalogue(campaign(entry=entry), segments=[those]), profile=snapshot(traits={"birthday": "1990-07-01"}))
    house.touch("page.viewed")
    assert [(timer.kind, timer.gate) for timer in house.timers] == [(kind, "watermark")]


@pytest.mark.parametrize(
    "written",
    ["1800", "18", "T18:00", "18:00:30", "18:00+02:00", "8:00", "24:01", "18:60", " 8:00", "+8:00", "\u0661\u0668:\u0660\u0660", ""],
)
def test_a_time_of_day_that_the_gate_could_not_read_is_no_policy(written: str) -> None:
    for span in ((written, "23:00"), ("00:00", written)):
        assert [fault.pointer for fault in policy_faults(Policy(quiet_calls=(span,)))] == ["/quiet_calls/0"]


def test_every_time_of_day_of_a_policy_is_read_by_the_gate() -> None:
    policy = Policy(caps=(), quiet_calls=(("00:00", "08:30"), ("18:00", "24:00")))
    assert policy_faults(policy) == []
    house = House(catalogue(campaign("winter", wave("tell", "call")), policy=policy), now=MONDAY_NOON + 7 * HOUR)
    house.touch("cart.updated")
    assert [(decision.result, decision.reason) for decision in house.decisions] == [("defer", "hours")]
