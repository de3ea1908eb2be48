"""The fold as a whole: one decision per candidate, the same messages for the same inputs, and what control timers and merges do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.actions import Contact, ResumeCampaign, StopCampaign
from nextwave_contracts.customers import Change, CustomerAbsorbed, CustomerMessage, CustomersMerged, CustomerUpdated
from nextwave_contracts.decisions import Decision, RunEnded, RunStarted, WaveClosed
from nextwave_contracts.topics import ACTIONS, CUSTOMERS, DECISIONS
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.catalogue import Happening
from nextwave_orchestrator.fold import Decider, Unit
from nextwave_orchestrator.state import BYTES_MAX, FIELDS_MAX, HISTORY_MAX, CustomerState, small
from nextwave_runtime.application import Outgoing, Taken, Timer
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

RULES = catalogue(
    campaign(
        "a", wave("tell", "sms", "email", window="20h"), wave("call", "call", enter={"after": "tell", "unless": "responded"}), priority=2
    ),
    campaign("b", wave("tell", "call"), entry={"on": {"event": "cart.updated"}, "reentry": {"after": "2d"}}, holdout=0.3),
    campaign("k", wave("pay", "email"), entry={"on": {"event": "payment.failed"}, "key": "order_id", "reentry": {"after": "1d"}}),
    campaign("band", wave("tell", "webpush", "email"), entry={"on": {"entered": {"churn.band": ["high"]}}, "reentry": {"after": "1d"}}),
    policy=Policy(caps=(Cap(most=1, per="10h"), Cap(most=3, per="7d"))),
)


def play(script: list[tuple[str, int, int]]) -> House:
    """A life of the customer: each move after some hours."""
    house = House(RULES)
    for move, hours, choice in script:
        house.wait(house.now + hours * HOUR)
        MOVES[move](house, choice)
    house.wait(house.now + 60 * DAY)
    return house


def _enter_band(house: House) -> None:
    change = Change(field="churn.band", before="low", after="high")
    house.take(CustomerUpdated(customer_id=house.profile.customer_id, at=house.now, profile=house.profile, changes=(change,)))


def _learn(house: House, kind: str) -> None:
    for contact in house.all(Contact)[-1:]:
        house.outcome(kind, contact)


def _refuse(house: House) -> None:
    for contact in house.all(Contact)[-1:]:
        house.touch("call.wrapped_up", action_id=contact.action_id, refusal=True)


def _withdraw(house: House) -> None:
    house.profile = replace(house.profile, version=house.profile.version + 1, consents=())
    house.touch("consent.withdrawn")


def _become_another(house: House, choice: int) -> None:
    """The customer becomes part of one whom nobody knew; word of that comes in two partitions, in any order."""
    absorbed, into = house.profile.customer_id, f"m-{house.ids()}"
    known = (*house.profile.absorbed, absorbed)
    house.profile = replace(house.profile, customer_id=into, version=house.profile.version + 1, absorbed=known)
    words: list[CustomerMessage] = [
        CustomerAbsorbed(customer_id=absorbed, into=into, at=house.now),
        CustomersMerged(customer_id=into, absorbed=absorbed, at=house.now, profile=house.profile),
    ]
    for word in words if choice % 2 else reversed(words):
        house.take(word)
        house.wait(house.now + (choice > 1) * HOUR)


MOVES: dict[str, Callable[[House, int], object]] = {
    "cart": lambda house, _: house.touch("cart.updated"),
    "pay": lambda house, choice: house.touch("payment.failed", order_id=f"o{choice}"),
    "look": lambda house, _: house.touch("page.viewed", path="/renew"),
    "renew": lambda house, choice: house.touch("contract.renewed", order_id=f"o{choice}"),
    "band": lambda house, _: _enter_band(house),
    "wait": lambda _house, _choice: None,
    "outcome": lambda house, choice: _learn(house, ("delivered", "failed", "no_answer", "opened")[choice]),
    "refuse": lambda house, _: _refuse(house),
    "withdraw": lambda house, _: _withdraw(house),
    "merge": _become_another,
}
moves = st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 40), st.integers(0, 3)), min_size=1, max_size=25)


@settings(max_examples=80, deadline=None)
@given(script=moves)
def test_every_candidate_ends_in_exactly_one_decision_and_the_sums_reconcile(script: list[tuple[str, int, int]]) -> None:
    house = play(script)
    decisions = house.decisions
    assert len({d.decision_id for d in decisions}) == len(decisions)
    assert [judged.decision for judged in house.unit.judged] == decisions
    results = Counter(d.result for d in decisions)
    assert results["act"] + results["defer"] + results["withhold"] == len(decisions)
    assert [d.action_id for d in decisions if d.result == "act"] == [c.action_id for c in house.all(Contact)]
    for decision in decisions:
        assert (decision.until is not None) == (decision.result == "defer")
        assert (decision.reason == "permitted") == (decision.result == "act")
    assert Counter(r.run_id for r in house.all(RunStarted)) == Counter(r.run_id for r in house.all(RunEnded))
    assert all(state.runs == () and not state.waits(house.now) for state in house.unit.states.values() if not state.absorbed_into)
    waves = [(closed.run_id, closed.wave) for closed in house.all(WaveClosed)]
    assert len(set(waves)) == len(waves)


@settings(max_examples=80, deadline=None)
@given(script=moves)
def test_caps_and_hours_hold_over_a_whole_life(script: list[tuple[str, int, int]]) -> None:
    house = play(script)
    given_back = {c.action_id for c in house.all(Contact)} - {r.action_id for r in house.state.reservations if r.counts}
    sent = [c.decided_at for c in house.all(Contact) if c.action_id not in given_back]
    assert all(later - earlier >= 10 * HOUR for earlier, later in pairwise(sent))
    for contact in house.all(Contact):
        assert contact.permitted[0].start == contact.decided_at < contact.not_after
        assert contact.permitted[-1].end <= contact.not_after


@settings(max_examples=25, deadline=None)
@given(script=moves)
def test_the_same_inputs_give_the_same_messages(script: list[tuple[str, int, int]]) -> None:
    one, other = play(script), play(script)
    assert one.said == other.said
    assert one.unit.states == other.unit.states


def test_a_fold_that_is_repeated_from_the_same_state_says_the_same() -> None:
    house = House(RULES)
    house.touch("page.viewed")
    message = CustomerUpdated(
        customer_id=CUSTOMER,
        at=MONDAY_NOON,
        profile=snapshot(),
        changes=(Change(field="churn.band", before="low", after="high"),),
    )
    said = []
    for _ in range(2):
        unit = Unit(0, 4, dict(house.unit.states))
        said.append((list(Decider(lambda: RULES).fold(unit, Taken(CUSTOMERS, 0, 9, MONDAY_NOON, message), MONDAY_NOON)), unit))
    assert said[0] == said[1]
    assert {outgoing.topic for outgoing in said[0][0]} == {ACTIONS, DECISIONS}


def test_stopping_and_resuming_a_campaign_is_told_to_the_own_partition() -> None:
    unit = Unit(3, 8)
    decider = Decider(lambda: RULES)
    stop = decider.fold(unit, Timer(3, MONDAY_NOON, "winter", "campaign_stopped"), MONDAY_NOON + HOUR)
    resume = decider.fold(unit, Timer(3, MONDAY_NOON, "winter", "campaign_resumed"), MONDAY_NOON + HOUR)
    assert list(stop) == [Outgoing(ACTIONS, StopCampaign(campaign="winter", at=MONDAY_NOON), partition=3)]
    assert list(resume) == [Outgoing(ACTIONS, ResumeCampaign(campaign="winter", at=MONDAY_NOON), partition=3)]


def test_an_older_profile_never_replaces_a_newer_one() -> None:
    house = House(RULES, profile=snapshot(version=7, country="FR"))
    house.touch("page.viewed")
    house.profile = snapshot(version=6)
    house.touch("page.viewed")
    assert house.state.profile is not None
    assert house.state.profile.country == "FR"


def test_history_is_bounded_in_time_order_and_keeps_small_plain_values_only() -> None:
    house = House(catalogue())
    for n in range(HISTORY_MAX + 10):
        house.touch("page.viewed", MONDAY_NOON + ((n * 7) % 50) * HOUR, path="/" + "x" * 500, nested={"a": 1}, n=n)
    history = house.state.history
    assert len(history) == HISTORY_MAX
    assert [h.at for h in history] == sorted(h.at for h in history)
    assert (set(history[0].data), history[0].cut) == ({"action_id", "n"}, True)


def test_a_number_that_no_64_bits_hold_is_left_out_of_history_and_the_state_is_stored() -> None:
    house = House(catalogue())
    house.touch("page.viewed", most=2**63 - 1, least=-(2**63), above=2**64, beyond=2**63, below=-(2**63) - 1)
    assert house.state.history[0].data == {"action_id": None, "most": 2**63 - 1, "least": -(2**63)}


def test_a_big_event_takes_no_more_room_in_history_whatever_is_asked_of_it() -> None:
    named = [f"field-{n}" for n in range(40)]
    for value in (1, "x" * 100, "x" * 1000, ["x" * 100] * 5, {"deep": ["x"] * 50}, 2**64):
        data, cut = small(dict.fromkeys([*named, *"abcdefghij"], value), named)
        assert cut
        assert len(data) <= FIELDS_MAX
        assert len(msgspec.msgpack.encode(data)) <= BYTES_MAX


def test_a_happening_that_the_build_before_remembered_is_read_and_so_is_ours_by_it() -> None:
    class Before(msgspec.Struct, frozen=True, array_like=True):
        type: str
        at: datetime
        data: dict[str, Any]
        received_at: datetime | None = None

    before, now = (kind("page.viewed", MONDAY_NOON, {"path": "/renew"}, MONDAY_NOON) for kind in (Before, Happening))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(before), type=Happening) == now
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(now), type=Before) == before


def test_messages_of_unknown_customers_start_from_nothing_and_foreign_timers_do_nothing() -> None:
    unit = Unit(0, 1)
    decider: Any = Decider(lambda: RULES)
    assert list(decider.fold(unit, Timer(0, MONDAY_NOON, "c-77/run", "close"), MONDAY_NOON)) == []
    house = House(RULES)
    assert isinstance(house.touch("cart.updated")[0], RunStarted)
    assert isinstance(house.state, CustomerState)
    assert isinstance(house.decisions[0], Decision)
