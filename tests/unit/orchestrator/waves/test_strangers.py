"""What belongs to another campaign or to the past changes nothing in a run."""

from __future__ import annotations

from datetime import timedelta

from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import WaveClosed
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, wave

HOUR = timedelta(hours=1)


def test_a_click_in_one_campaigns_message_is_no_response_to_another() -> None:
    clicked = {"any": [{"event": "email.clicked"}]}
    house = House(catalogue(*(campaign(key, wave("tell", "email", response=clicked)) for key in ("a", "b"))))
    house.touch("cart.updated")
    first, second = house.all(Contact)
    house.touch("email.clicked", MONDAY_NOON + HOUR, action_id=first.action_id)
    assert [closed.run_id for closed in house.all(WaveClosed)] == [first.run_id]
    assert [run.run_id for run in house.state.runs] == [second.run_id]


def test_a_stale_retry_makes_no_second_candidate() -> None:
    house = House(catalogue(campaign("winter", wave("call", "call"))), now=MONDAY_NOON + timedelta(hours=5))
    house.touch("cart.updated")
    retry = min(house.timers, key=lambda timer: timer.due_at)
    house.wait(retry.due_at)
    assert house.fire(retry) == []
    assert [d.result for d in house.decisions] == ["defer", "act"]
