"""Who enters a campaign, and when."""

from __future__ import annotations

from datetime import timedelta

from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import Change, Churn, CustomerUpdated
from nextwave_contracts.decisions import Decision, GoalReached, RunEnded, RunStarted
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.entry import entry_name, remembered
from nextwave_orchestrator.state import ENTRIES_MAX, GOALS_MAX, RUNS_MAX
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ON_CART = {"event": "cart.updated"}


def review(house: House, *changes: Change) -> list[object]:
    return house.take(CustomerUpdated(customer_id=CUSTOMER, at=house.now, profile=house.profile, changes=changes))


def test_an_event_of_suspect_time_never_starts_a_campaign_and_is_no_goal() -> None:
    house = House(catalogue(campaign()))
    assert house.touch("cart.updated", suspect=True) == []
    assert [happening.type for happening in house.state.history] == ["cart.updated"]
    house.touch("cart.updated")
    assert house.touch("contract.renewed", suspect=True) == []


def test_a_change_of_band_lets_in_also_when_only_silence_was_reviewed() -> None:
    house = House(catalogue(campaign(entry={"on": {"entered": {"churn.band": ["elevated", "high"]}}})))
    assert review(house, Change(field="churn.band", before="low", after="low")) == []
    said = review(house, Change(field="churn.band", before="low", after="elevated"))
    assert [type(message) for message in said] == [RunStarted, Decision, Contact]


def test_a_customer_enters_again_only_after_the_time_of_reentry_and_never_without_one() -> None:
    once = House(catalogue(campaign()))
    again = House(catalogue(campaign(entry={"on": ON_CART, "reentry": {"after": "10d"}})))
    for house in (once, again):
        house.touch("cart.updated")
        house.wait(MONDAY_NOON + 10 * DAY - timedelta(seconds=1))
        house.touch("cart.updated")
        house.wait(MONDAY_NOON + 10 * DAY)
        house.touch("cart.updated")
    assert len(once.all(RunStarted)) == 1
    assert len(again.all(RunStarted)) == 2


def test_a_new_entry_replaces_an_open_run_and_its_goal() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email", window="20d"), entry={"on": ON_CART, "reentry": {"after": "1d"}})))
    house.touch("cart.updated")
    house.touch("cart.updated", MONDAY_NOON + DAY)
    assert [message.reason for message in house.all(RunEnded)] == ["reentered"]
    assert len(house.state.runs) == 1
    house.touch("contract.renewed", MONDAY_NOON + 2 * DAY)
    assert len(house.all(GoalReached)) == 1


def test_two_entry_keys_are_two_runs_and_a_payment_for_one_moves_only_that_one() -> None:
    keyed = campaign(
        "pay",
        wave("remind", "email"),
        entry={"on": {"event": "payment.failed"}, "key": "order_id"},
        goal={"event": "order.paid", "within": "9d"},
    )
    house = House(catalogue(keyed))
    house.touch("payment.failed", order_id="A")
    house.touch("payment.failed", order_id="B")
    house.touch("payment.failed", order_id="B")
    house.touch("payment.failed")
    first, second = house.all(RunStarted)
    assert first.run_id != second.run_id
    house.touch("order.paid", order_id="A")
    assert [reached.run_id for reached in house.all(GoalReached)] == [first.run_id]
    assert [run.entry_key for run in house.state.runs] == ["B"]


def test_only_the_audience_enters_and_the_mix_goes_to_its_first_segment_by_priority() -> None:
    at_risk = {"key": "at-risk", "rule": {"field": "churn.band", "op": "in", "value": ["high"]}, "priority": 1}
    dear = {"key": "dear", "rule": {"field": "value.cell", "op": "in", "value": ["IV"]}, "priority": 2}
    mixes = [{"segment": s, "channels": [{"channel": "email", "template": s}]} for s in ("dear", "at-risk", "*")]
    audience = {"segment": "dear"}
    rules = catalogue(campaign("winter", wave("tell", mixes=mixes), entry={"on": ON_CART, "audience": audience}), segments=[at_risk, dear])
    house = House(rules)
    house.touch("cart.updated")
    assert [contact.segment for contact in house.all(Contact)] == ["dear"]
    high = House(rules, profile=snapshot(churn=Churn(risk=0.9, band="high", horizon_days=90, model="baseline")))
    high.touch("cart.updated")
    assert [contact.segment for contact in high.all(Contact)] == ["at-risk"]
    other = House(rules, profile=snapshot(value=snapshot().value.__class__(cell="I")))
    assert other.touch("cart.updated") == []


def test_entering_a_segment_is_an_entry() -> None:
    keen = {"key": "keen", "rule": {"event": "product.viewed", "within": "7d", "at_least": 2}}
    house = House(catalogue(campaign(entry={"on": {"entered": {"segment": ["keen"]}}}), segments=[keen]))
    assert house.touch("product.viewed") == []
    assert isinstance(house.touch("product.viewed")[0], RunStarted)
    assert house.touch("product.viewed") == []


def test_a_held_out_customer_gets_one_withheld_candidate_and_the_goal_is_still_measured() -> None:
    house = House(catalogue(campaign("winter", wave("tell", "email"), wave("call", "call", enter={"after": "tell"}), holdout=1.0)))
    said = house.touch("cart.updated")
    assert [type(message) for message in said] == [RunStarted, Decision, RunEnded]
    assert said[0].holdout
    assert (said[1].result, said[1].reason) == ("withhold", "holdout")
    assert house.wait(MONDAY_NOON + 9 * DAY) == []
    assert [type(message) for message in house.touch("contract.renewed")] == [GoalReached]


def test_campaigns_compete_for_a_cap_by_priority_and_then_by_key() -> None:
    policy = Policy(caps=(Cap(most=1, per="24h"),))
    rivals = [campaign("a", priority=2), campaign("c", priority=1), campaign("b", priority=1)]
    for order in (rivals, rivals[::-1]):
        house = House(catalogue(*order, policy=policy))
        house.touch("cart.updated")
        assert [(d.campaign, d.result) for d in house.decisions] == [("b", "act"), ("c", "defer"), ("a", "defer")]
        assert {d.until for d in house.decisions[1:]} == {MONDAY_NOON + DAY}


def test_the_house_holds_nobody_out_of_what_they_are_owed() -> None:
    policy = Policy(caps=(), global_holdout=1.0)
    results = {}
    for purpose in ("marketing", "care", "recovery"):
        house = House(catalogue(campaign(purpose=purpose), policy=policy))
        house.touch("cart.updated")
        results[purpose] = house.decisions[0].reason
    assert results == {"marketing": "holdout", "care": "holdout", "recovery": "permitted"}


ONCE = campaign("welcome", wave("tell", "email", window="1h"), purpose="service", entry={"on": {"event": "page.viewed"}})
ORDERS = campaign(
    "orders", wave("tell", "email", window="1h"), purpose="service", entry={"on": {"event": "order.placed"}, "key": "order_id"}
)


def test_however_many_orders_follow_a_customer_enters_once_where_there_is_no_reentry() -> None:
    house = House(catalogue(ONCE, ORDERS))
    house.touch("page.viewed")
    for n in range(ENTRIES_MAX + 2):
        house.touch("order.placed", order_id=f"o{n}")
        house.wait(house.now + 2 * HOUR)
    house.touch("page.viewed")
    assert sum(run.campaign == "welcome" for run in house.all(RunStarted)) == 1
    assert len(house.state.entries) == ENTRIES_MAX
    assert entry_name("orders", "o2") not in house.state.entries


def test_of_too_many_entries_those_that_keep_nobody_out_any_more_are_forgotten_first_and_then_the_oldest_with_a_key() -> None:
    again = campaign("again", entry={"on": ON_CART, "key": "order_id", "reentry": {"after": "1d"}})
    known = catalogue(ONCE, ORDERS, again, states={"welcome": "published", "orders": "paused", "again": "published", "over": "ended"})
    names = [("welcome", ""), ("over", ""), *[("orders", str(n)) for n in range(ENTRIES_MAX - 2)], ("again", "old"), ("again", "new")]
    entries = {entry_name(*name): MONDAY_NOON + n * timedelta(seconds=1) for n, name in enumerate(names)}
    entries[entry_name("again", "old")] = MONDAY_NOON - 2 * DAY
    assert entries.keys() - remembered(known, entries, MONDAY_NOON).keys() == {entry_name("over", ""), entry_name("again", "old")}
    del entries[entry_name("over", "")], entries[entry_name("again", "old")]
    assert remembered(known, entries, MONDAY_NOON) == entries
    more = entries | {entry_name("orders", "more"): MONDAY_NOON + DAY}
    assert more.keys() - remembered(known, more, MONDAY_NOON).keys() == {entry_name("orders", "0")}


def test_the_goal_of_an_open_run_is_not_forgotten_however_many_runs_follow() -> None:
    renew = campaign("renew", wave("tell", "email", window="300d"), purpose="service", entry={"on": {"event": "page.viewed"}})
    house = House(catalogue(renew, ORDERS))
    house.touch("page.viewed")
    for n in range(GOALS_MAX + 1):
        house.touch("order.placed", order_id=f"o{n}")
        house.wait(house.now + 2 * HOUR)
    assert len(house.state.goals) == GOALS_MAX
    house.touch("contract.renewed")
    assert ("renew", "goal") in [(ended.campaign, ended.reason) for ended in house.all(RunEnded)]


def test_a_hundred_campaigns_that_begin_on_one_event_all_begin_and_the_limit_is_that_of_the_guide() -> None:
    many = [campaign(f"c{n:03}", wave("tell", "email"), purpose="service") for n in range(RUNS_MAX + 1)]
    house = House(catalogue(*many))
    house.touch("cart.updated")
    assert len(house.all(RunStarted)) == RUNS_MAX == 64
