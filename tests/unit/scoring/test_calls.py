"""Names of single calls: they bring together what is told of a call, and neither strangers nor hundreds of names."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from nextwave_contracts.customers import CustomerAbsorbed
from nextwave_contracts.identifiers import strongest
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.identity import derive
from nextwave_scoring.profile import consents, matters
from nextwave_scoring.profile.record import SHARERS_MAX, Profile

from .ledger import Ledger
from .making import touchpoint

ANN, BOB = "customer_id:ann", "customer_id:bob"
PHONE, OTHER_PHONE = "phone:+493012345678", "phone:+493087654321"
CALL = "external:call:amazon-connect:c0"


def seen(after: float, *names: str, kind: str = "call.offered", **data: Any) -> Touchpoint:
    return touchpoint(kind, after=after, names=names, **data)


def call(number: int) -> str:
    return f"external:call:amazon-connect:c{number}"


def withdrawn(profile: Profile) -> set[str]:
    return {fact.channel for fact in consents.view(profile.consents) if not fact.granted}


def told(profile: Profile) -> tuple[Any, ...]:
    stops = matters.holds(profile.matters), consents.view(profile.consents)
    return *stops, profile.touchpoints, profile.kinds, profile.counts, profile.names


def test_a_frequent_caller_stays_one_customer_with_the_same_names() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE, kind="order.placed"), *(seen(1 + n, call(n), PHONE) for n in range(100)))
    assert ledger.profile(ANN) is ledger.profile(PHONE)
    assert (ledger.profile(ANN).touchpoints, ledger.profile(ANN).names) == (101, [ANN, PHONE])
    assert {ledger.unit.root_of_name(call(n)) for n in range(100)} == {derive(ANN)}


def test_a_refund_that_names_its_order_alone_is_the_customers_whichever_comes_first() -> None:
    order = "external:order:shopify:1"
    placed, refund = seen(0, ANN, order, kind="order.placed"), seen(1, order, kind="order.returned")
    for told_of in permutations((placed, refund)):
        ledger = Ledger()
        ledger.see(*told_of)
        assert ledger.unit.root_of_name(order) == derive(ANN)
        assert (ledger.profile(ANN).touchpoints, ledger.profile(ANN).names) == (2, [ANN])


def test_the_calls_of_a_shared_phone_crowd_nobody_out_who_shares_it() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE, kind="page.viewed"), seen(1, BOB, PHONE, kind="page.viewed"))
    calls = SHARERS_MAX + 8
    ledger.see(*(seen(2 + n, call(n), PHONE) for n in range(calls)))
    ledger.see(seen(99, call(calls), PHONE, kind="call.wrapped_up", refusal=True))
    assert [ledger.profile(name).touchpoints for name in (ANN, BOB, PHONE)] == [1, 1, calls + 1]
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB, PHONE)] == [{"call"}] * 3
    assert len(ledger.unit.customers) == 3


def test_what_a_call_alone_says_of_a_shared_phone_stops_all_who_share_it() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE, kind="page.viewed"), seen(1, BOB, PHONE, kind="page.viewed"), seen(2, CALL, PHONE))
    ledger.see(seen(3, CALL, kind="call.wrapped_up", refusal=True))
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB)] == [{"call"}] * 2


@pytest.mark.parametrize("naming", [(CALL, PHONE), (PHONE, CALL), (CALL, ANN), (CALL, ANN, PHONE)])
def test_events_of_a_call_come_together_in_any_order_where_one_names_the_caller(naming: tuple[str, ...]) -> None:
    events = [
        seen(0, CALL),
        seen(0.001, *naming, kind="call.answered"),
        seen(0.002, CALL, kind="call.wrapped_up", complaint=True, refusal=True, reference="T-1"),
    ]
    outcomes = []
    for order in permutations(events):
        ledger = Ledger()
        ledger.see(*order)
        assert [len(ledger.unit.customers), ledger.profile(CALL) is ledger.profile(strongest(naming))] == [1, True]
        outcomes.append(told(ledger.profile(CALL)))
    assert [len(outcomes[0][0]), [c.channel for c in outcomes[0][1]]] == [1, ["call"]]
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_who_was_only_a_call_becomes_part_of_the_customer_and_the_ring_learns_it() -> None:
    ledger = Ledger()
    ledger.see(seen(0, CALL))
    messages = ledger.see(seen(1, CALL, PHONE, kind="call.answered"))
    assert [(m.customer_id, m.into) for m in messages if isinstance(m, CustomerAbsorbed)] == [(derive(CALL), derive(PHONE))]


def test_a_complaint_told_by_a_call_alone_is_lifted_by_what_the_customer_is_told_of_later() -> None:
    ledger = Ledger()
    ledger.see(seen(0, CALL, kind="call.wrapped_up", complaint=True), seen(1, CALL, ANN, kind="call.ended"))
    assert matters.holds(ledger.profile(ANN).matters)
    ledger.see(seen(2, ANN, kind="complaint.resolved", satisfied=True))
    assert not matters.holds(ledger.profile(ANN).matters)


@pytest.mark.parametrize("others", [(PHONE, OTHER_PHONE), (ANN, BOB), (ANN, OTHER_PHONE)])
def test_a_call_that_was_handed_on_makes_no_two_customers_one(others: tuple[str, str]) -> None:
    ledger = Ledger()
    ledger.see(seen(0, CALL, others[0]), seen(1, CALL, others[1]), seen(2, CALL, kind="call.ended"))
    assert [ledger.profile(name).touchpoints for name in others] == [2, 1]
    ledger.see(seen(3, call(1), others[1]), seen(4, CALL, call(1), kind="call.ended"))
    assert [ledger.profile(name).touchpoints for name in others] == [3, 2]


def test_a_call_that_was_told_before_its_shared_phone_leaves_the_phone_shared() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE, kind="page.viewed"), seen(1, BOB, PHONE, kind="page.viewed"), seen(2, CALL), seen(3, CALL, PHONE))
    ledger.see(seen(4, PHONE, kind="call.wrapped_up", refusal=True))
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB)] == [{"call"}] * 2
    assert ledger.profile(ANN) is not ledger.profile(BOB)


def test_what_names_a_caller_is_stronger_than_the_call() -> None:
    assert strongest((CALL, "anonymous_id:d", PHONE)) == PHONE
    assert strongest((CALL, "anonymous_id:d")) == "anonymous_id:d"
