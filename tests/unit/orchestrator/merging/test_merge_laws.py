"""What comes of a merge is the same in whatever order its parts and the survivor's own messages are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged
from nextwave_contracts.decisions import GoalReached, RunEnded, RunStarted
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_runtime.application import Timer
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave

MINUTE = timedelta(minutes=1)
OTHER = "c-0"
MOST = 2
MERGED = MONDAY_NOON + 60 * MINUTE
RULES = catalogue(
    campaign("winter", wave("tell", "email"), wave("again", "sms", enter={"after": "tell", "unless": "responded"})),
    campaign("bills", wave("tell", "email"), entry={"on": {"event": "payment.failed"}, "key": "order_id"}),
    campaign("looks", wave("tell", "sms"), entry={"on": {"event": "form.submitted"}, "reentry": {"after": "1d"}}),
    policy=Policy(caps=(Cap(most=MOST, per="24h"),)),
)
SAID: tuple[tuple[str, dict[str, Any]], ...] = (
    ("cart.updated", {}),
    ("payment.failed", {"order_id": "o1"}),
    ("payment.failed", {"order_id": "o2"}),
    ("form.submitted", {}),
    ("page.viewed", {"path": "/renew"}),
    ("contract.renewed", {"order_id": "o1"}),
)
words = st.lists(st.sampled_from(SAID), max_size=5)
answers = st.lists(st.sampled_from(SAID[4:]), max_size=2)


def touch(house: House, customer: str, minute: int, word: tuple[str, dict[str, Any]]) -> None:
    """One of both says something."""
    mine = house.profile
    house.profile = mine if customer == mine.customer_id else snapshot(customer_id=customer)
    house.touch(word[0], MONDAY_NOON + minute * MINUTE, **word[1])
    house.profile = mine


def left(house: House, late: Sequence[tuple[str, dict[str, Any]]]) -> list[Timer]:
    """The other one hears of the merge, then more of its own from before, then nothing more: the parts of what it leaves."""
    house.take(CustomerAbsorbed(customer_id=OTHER, into=CUSTOMER, at=house.now))
    for n, word in enumerate(late):
        touch(house, OTHER, 30 + n, word)
    (last_word,) = [timer for timer in house.timers if timer.kind == "last_word"]
    house.timers.remove(last_word)
    house.fire(last_word)
    parts = [timer for timer in house.timers if timer.kind == "estate"]
    house.timers = [timer for timer in house.timers if timer.kind != "estate"]
    return parts


@settings(max_examples=150)
@given(before=st.lists(st.tuples(st.booleans(), st.sampled_from(SAID)), max_size=8), late=answers, after=words, data=st.data())
def test_the_order_of_a_merges_parts_changes_nothing(before: list[Any], late: list[Any], after: list[Any], data: st.DataObject) -> None:
    ways = []
    for shuffled in (False, True):
        house = House(RULES)
        for n, (mine, word) in enumerate(before):
            touch(house, CUSTOMER if mine else OTHER, n, word)
        house.now = MONDAY_NOON + 40 * MINUTE
        parts = left(house, late)
        order = ["mine"] * (1 + len(after)) + ["part"] * len(parts)
        parts = data.draw(st.permutations(parts)) if shuffled else parts
        _read(house, data.draw(st.permutations(order)) if shuffled else order, parts, after)
        ways.append(house)
    doubled = {ended.run_id for house in ways for ended in house.all(RunEnded) if ended.reason == "merged"}
    assert _what_came(ways[0], doubled) == _what_came(ways[1], doubled)


def _read(house: House, order: Sequence[str], parts: list[Timer], after: list[Any]) -> None:
    """The survivor reads its own messages in their order, and the parts among them."""
    house.profile, house.now = snapshot(version=2, absorbed=(OTHER,)), MERGED
    mine: list[Any] = [None, *enumerate(after, 41)]
    for kind in order:
        if kind == "part":
            house.fire(parts.pop(0))
        elif (word := mine.pop(0)) is None:
            house.take(CustomersMerged(customer_id=CUSTOMER, absorbed=OTHER, at=house.now, profile=house.profile))
        else:
            touch(house, CUSTOMER, *word)
    assert not house.state.waits(house.now)
    house.wait(house.now)


def _what_came(house: House, doubled: set[str]) -> dict[str, Any]:
    """The way of every run, of those that the merge ended only that they did.

    Who answers before an entry is taken up is not contacted; so contacts are as few as caps allow, not equal.
    """
    earlier = [contact for contact in house.all(Contact) if contact.decided_at < MERGED]
    assert len(house.all(Contact)) - len(earlier) <= max(0, MOST - len(earlier))
    return {
        "history": house.state.history,
        "entries": house.state.entries,
        "runs": sorted((run.run_id, run.wave) for run in house.state.runs),
        "goals": sorted(goal.run_id for goal in house.state.goals),
        "started": sorted((run.run_id, run.at) for run in house.all(RunStarted)),
        "reached": {goal.campaign for goal in house.all(GoalReached)},
        "ended": sorted(run.run_id for run in house.all(RunEnded)),
    }
