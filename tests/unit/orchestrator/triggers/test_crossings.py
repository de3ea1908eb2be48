"""Entering and leaving a segment by time alone: exact to the instant, for everybody, and only while somebody waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.customers import CustomersMerged, Orders
from nextwave_contracts.decisions import RunStarted
from nextwave_orchestrator.catalogue import Catalogue, Facts, Happening
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.moments import JUST_AFTER, next_moment
from nextwave_orchestrator.rules.parse import read_rule
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.triggers.partition_world import Partitions

DAY = timedelta(days=1)
BUYER = {"event": "order.placed", "within": "30d"}
SLEEPER = {"field": "orders.last_at", "op": "older_than", "value": "20d"}

leaves = st.sampled_from(
    [
        BUYER,
        {"event": "order.placed", "within": "10d", "at_least": 2},
        {"event": "page.viewed", "where": {"path": "/renew"}, "within": "3d"},
        {"event": "order.placed"},
        SLEEPER,
        {"field": "orders.last_at", "op": "newer_than", "value": "2w"},
        {"field": "traits.since", "op": "older_than", "value": "400d"},
        {"field": "orders.count", "op": "gte", "value": 2},
    ]
)
some_rules = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts})
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts})
        | inner.map(lambda part: {"not": part})
    ),
    max_leaves=5,
)
instants = st.integers(-60 * 24, 0).map(lambda hours: MONDAY_NOON + timedelta(hours=hours))
happenings = st.builds(
    Happening, st.sampled_from(["order.placed", "page.viewed"]), instants, st.sampled_from([{"path": "/renew"}, {"path": "/"}])
)


@given(
    written=some_rules,
    history=st.lists(happenings, max_size=5),
    last=st.none() | instants,
    since=st.sampled_from([None, "2025-06-15", "soon", "9999-12-31"]),
    looks=st.lists(st.integers(0, 90 * 24 * 60), max_size=20),
)
def test_between_the_moments_of_a_rule_nothing_changes_by_time(
    written: dict[str, Any], history: list[Happening], last: datetime | None, since: str | None, looks: list[int]
) -> None:
    rule = read_rule(written)
    holds, following = compile_rule(rule), next_moment(rule)
    profile = snapshot(orders=Orders(count=2, last_at=last), traits={"since": since})
    known = sorted(history, key=lambda one: one.at)
    for minutes in (0, *looks):
        now = MONDAY_NOON + timedelta(minutes=minutes)
        moment = None if following is None else following(Facts(profile, known, now))
        until = min(moment or now + 100 * DAY, now + 100 * DAY) - JUST_AFTER
        answers = {holds(Facts(profile, known, at)) for at in (now, now + (until - now) / 3, now + (until - now) / 2, until)}
        assert len(answers) == 1


def test_every_change_is_a_moment() -> None:
    rule = read_rule(BUYER)
    following = next_moment(rule)
    assert following is not None
    bought = Happening("order.placed", MONDAY_NOON, {})
    assert following(Facts(snapshot(), [bought], MONDAY_NOON)) == MONDAY_NOON + 30 * DAY + JUST_AFTER
    assert following(Facts(snapshot(), [bought], MONDAY_NOON + 31 * DAY)) is None


@pytest.mark.parametrize("rule", [{"field": "orders.count", "op": "gte", "value": 2}, {"event": "order.placed"}])
def test_a_rule_without_time_has_no_moments(rule: dict[str, Any]) -> None:
    assert next_moment(read_rule(rule)) is None


def rules(side: str, rule: dict[str, Any], revision: int = 1) -> Catalogue:
    entry = {"on": {side: {"segment": ["those"]}}, "reentry": {"after": "1d"}}
    return catalogue(campaign("back", wave("tell", "email"), entry=entry), segments=[{"key": "those", "rule": rule}], revision=revision)


def test_who_grows_out_of_a_segment_leaves_it_at_that_instant_without_any_event() -> None:
    made = Partitions(rules("left", BUYER))
    made.know(snapshot(customer_id="c1"), "order.placed")
    made.wait(MONDAY_NOON + 90 * DAY)
    assert made.entries() == [("c1", MONDAY_NOON + 30 * DAY + JUST_AFTER)]
    assert made.started[0].caused_by == "time"


def test_who_grows_into_a_segment_enters_it_at_that_instant_and_again_only_after_having_left() -> None:
    made = Partitions(rules("entered", SLEEPER))
    for n in range(2):
        last = MONDAY_NOON + n * 50 * DAY
        made.know(snapshot(customer_id="c1", version=n + 1, orders=Orders(count=1, last_at=last)))
        made.wait(last + 50 * DAY)
    assert [at for _, at in made.entries()] == [MONDAY_NOON + days * DAY + JUST_AFTER for days in (20, 70)]


def test_a_new_event_in_time_puts_it_off() -> None:
    made = Partitions(rules("left", BUYER))
    for n in range(3):
        made.know(snapshot(customer_id="c1", version=n + 1), "order.placed")
        made.wait(MONDAY_NOON + (n + 1) * 20 * DAY)
    made.wait(MONDAY_NOON + 90 * DAY)
    assert made.entries() == [("c1", MONDAY_NOON + 70 * DAY + JUST_AFTER)]


def test_a_customer_who_exists_already_crosses_too_but_not_for_what_was_before_the_campaign() -> None:
    made = Partitions(catalogue(revision=0))
    made.know(snapshot(customer_id="c1"), "order.placed")
    made.wait(MONDAY_NOON + 20 * DAY)
    made.know(snapshot(customer_id="c2"), "order.placed")
    made.wait(MONDAY_NOON + 40 * DAY)
    made.rules = rules("left", BUYER)
    made.announce("campaign_opened", "back")
    made.wait(MONDAY_NOON + 90 * DAY)
    assert made.entries() == [("c2", MONDAY_NOON + 50 * DAY + JUST_AFTER)]


def test_several_crossings_that_came_late_happen_each_at_its_own_instant() -> None:
    rule = {"all": [SLEEPER, {"not": {"field": "orders.last_at", "op": "older_than", "value": "25d"}}]}
    entry = {"on": {"left": {"segment": ["those"]}}}
    live = catalogue(campaign("back", wave("tell", "email"), entry=entry), segments=[{"key": "those", "rule": rule}])
    made = Partitions(live)
    made.know(snapshot(customer_id="c1", orders=Orders(count=1, last_at=MONDAY_NOON)))
    made.now = MONDAY_NOON + 60 * DAY
    made.wait(made.now)
    assert made.entries() == [("c1", MONDAY_NOON + 25 * DAY + JUST_AFTER)]


def test_where_nobody_waits_for_a_segment_there_are_no_timers() -> None:
    made = Partitions(catalogue(campaign(), segments=[{"key": "those", "rule": BUYER}]))
    made.know(snapshot(customer_id="c1"), "order.placed")
    assert made.timers == {}


@pytest.mark.parametrize("how", ["suspect", "merged"])
def test_what_judges_no_segments_swallows_no_crossing_whose_timer_has_not_fired_yet(how: str) -> None:
    house = House(rules("entered", {"not": BUYER}))
    house.touch("order.placed")
    house.now = MONDAY_NOON + 30 * DAY + timedelta(seconds=1)
    if how == "suspect":
        house.touch("page.viewed", suspect=True)
    else:
        house.take(CustomersMerged(customer_id=house.profile.customer_id, absorbed="c-2", at=house.now, profile=house.profile))
    house.wait(MONDAY_NOON + 40 * DAY)
    assert [started.at for started in house.all(RunStarted)] == [MONDAY_NOON + 30 * DAY + JUST_AFTER]


def test_two_words_of_one_instant_set_the_crossing_that_follows_from_both() -> None:
    house = House(rules("left", BUYER))
    house.touch("page.viewed")
    house.touch("order.placed")
    house.wait(MONDAY_NOON + 40 * DAY)
    assert [started.at for started in house.all(RunStarted)] == [MONDAY_NOON + 30 * DAY + JUST_AFTER]


def test_an_import_of_suspect_time_sets_the_crossing_that_follows_from_it() -> None:
    house = House(rules("entered", SLEEPER))
    house.touch("page.viewed")
    house.now += timedelta(hours=1)
    house.profile = snapshot(version=2, orders=Orders(count=1, last_at=MONDAY_NOON - 5 * DAY))
    house.touch("order.placed", suspect=True)
    house.wait(MONDAY_NOON + 40 * DAY)
    assert [started.at for started in house.all(RunStarted)] == [MONDAY_NOON + 15 * DAY + JUST_AFTER]


def test_a_crossing_that_a_correction_made_stale_does_nothing() -> None:
    made = Partitions(rules("left", SLEEPER))
    made.know(snapshot(customer_id="c1", orders=Orders(count=1, last_at=MONDAY_NOON)))
    made.now = MONDAY_NOON + 21 * DAY
    made.know(snapshot(customer_id="c1", version=2, orders=Orders(count=1, last_at=MONDAY_NOON + DAY / 2)))
    made.wait(MONDAY_NOON + 60 * DAY)
    assert made.entries() == []


def test_what_an_import_of_suspect_time_alone_brings_is_no_entering() -> None:
    house = House(rules("entered", SLEEPER))
    house.touch("page.viewed")
    house.now += 60 * DAY
    house.profile = snapshot(version=2, orders=Orders(count=1, last_at=house.now - 40 * DAY))
    house.touch("order.placed", suspect=True)
    house.now += DAY
    house.touch("page.viewed")
    assert house.all(RunStarted) == []
