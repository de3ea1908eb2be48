"""What two customers together have too much of: what still rules somebody's way is not forgotten."""

from __future__ import annotations

from datetime import timedelta

from nextwave_contracts.decisions import RunEnded, RunStarted
from nextwave_orchestrator.entry import entry_name
from nextwave_orchestrator.state import ENTRIES_MAX, GOALS_MAX, CustomerState, OpenGoal
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.two_customers import DAY, OTHER

RULES = catalogue(
    campaign("winter", wave("tell", "email")),
    campaign("orders", wave("tell", "email"), entry={"on": {"event": "order.placed"}, "key": "order_id"}),
)


def test_after_a_merge_the_goal_of_an_open_run_still_ends_it() -> None:
    house = House(RULES)
    house.touch("cart.updated")
    goals = [OpenGoal(run_id=f"r{n}", campaign="orders", version=1, entry_key=f"o{n}", until=MONDAY_NOON + DAY) for n in range(GOALS_MAX)]
    house.unit.states[OTHER] = CustomerState(customer_id=OTHER, profile=snapshot(customer_id=OTHER), goals=tuple(goals))
    house.merge(OTHER)
    assert len(house.state.goals) == GOALS_MAX
    house.touch("contract.renewed")
    assert [ended.reason for ended in house.all(RunEnded)] == ["goal"]


def test_after_a_merge_who_entered_once_does_not_enter_again() -> None:
    house = House(RULES)
    house.touch("cart.updated")
    house.wait(MONDAY_NOON + 30 * DAY)
    entries = {entry_name("orders", f"o{n}"): MONDAY_NOON + timedelta(seconds=n + 1) for n in range(ENTRIES_MAX)}
    house.unit.states[OTHER] = CustomerState(customer_id=OTHER, profile=snapshot(customer_id=OTHER), entries=entries)
    house.merge(OTHER)
    assert len(house.state.entries) == ENTRIES_MAX
    house.touch("cart.updated")
    assert len(house.all(RunStarted)) == 1
