"""Consents, complaints and service requests: what stands, whatever the order, and the stricter of two merged customers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.profile import consents, matters, touch
from nextwave_scoring.profile.merge import merge
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import is_unsatisfied

from .making import folded, touchpoint

OTHER = ("anonymous_id:d1",)
"""Another customer's name."""


def consent(kind: str, after: float, channel: str = "email", purpose: str = "marketing", **who: Any) -> Touchpoint:
    return touchpoint(f"consent.{kind}", after=after, channel=channel, purpose=purpose, **who)


def stands(profile: Profile) -> dict[tuple[str, str], bool]:
    return {(c.channel, c.purpose): c.granted for c in consents.view(profile.consents)}


REFERENCES = st.sampled_from(["", "t1", "t2"])
INSTANTS = st.integers(1, 6)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([matters.COMPLAINT, matters.SERVICE]), REFERENCES, INSTANTS), max_size=8))
def test_as_many_matters_are_counted_as_are_listed_as_open(told: list[tuple[bool, str, str, int]]) -> None:
    known: matters.Matters = {}
    for is_opening, kind, reference, at in told:
        (matters.opened if is_opening else matters.closed)(known, kind, reference, at)
    for kind in (matters.COMPLAINT, matters.SERVICE):
        assert matters.count_open(known, kind) == len(matters.open_of(known, kind))


def open_complaints(profile: Profile) -> list[str]:
    return [hold.reference for hold in matters.holds(profile.matters)]


def test_a_stop_by_text_and_a_refused_call_withdraw_their_channel() -> None:
    stopped = touchpoint("sms.received", after=1, body="STOP", wish="opt_out")
    refused = touchpoint("call.wrapped_up", after=1, refusal=True)
    assert stands(folded([stopped, refused])) == {("sms", ""): False, ("call", ""): False}
    assert stands(folded([stopped, touchpoint("sms.received", after=2, body="START", wish="opt_in")])) == {("sms", ""): True}
    assert (
        stands(folded([touchpoint("sms.received", after=1, body="thanks"), touchpoint("call.wrapped_up", after=1, disposition="refused")]))
        == {}
    )


def test_the_newest_consent_fact_stands_even_when_it_came_first() -> None:
    assert stands(folded([consent("granted", 2), consent("withdrawn", 1)])) == {("email", "marketing"): True}
    assert stands(folded([consent("withdrawn", 2), consent("granted", 1)])) == {("email", "marketing"): False}


def test_withdrawn_beats_granted_at_the_same_instant() -> None:
    assert stands(folded([consent("withdrawn", 1), consent("granted", 1)])) == {("email", "marketing"): False}


@pytest.mark.parametrize(
    ("kind", "data", "scope"),
    [
        ("consent.withdrawn", {"channel": "sms", "purpose": ""}, ("sms", "")),
        ("sms.received", {"wish": "opt_out"}, ("sms", "")),
        ("call.wrapped_up", {"refusal": True}, ("call", "")),
    ],
)
def test_a_stop_of_a_slow_clock_outlasts_the_grant_that_came_before_it(kind: str, data: dict[str, Any], scope: tuple[str, str]) -> None:
    granted = consent("granted", 5, *scope)
    stop = touchpoint(kind, after=-20_000, late=20_006, **data)
    again = consent("granted", 7, *scope)
    assert stands(folded([granted, stop])) == stands(folded([stop, granted])) == {scope: False}
    assert stands(folded([granted, stop, again])) == {scope: True}


def test_a_grant_never_counts_from_later_than_it_was_given() -> None:
    assert stands(
        folded([consent("withdrawn", 5), touchpoint("consent.granted", after=4, late=9, channel="email", purpose="marketing")])
    ) == {("email", "marketing"): False}


@pytest.mark.parametrize(("kind", "data"), [("complaint.opened", {}), ("call.wrapped_up", {"complaint": True})])
def test_a_complaint_of_a_slow_clock_is_open_although_all_was_resolved_before_it_came(kind: str, data: dict[str, Any]) -> None:
    complaint = touchpoint(kind, after=-20_000, late=20_006, reference="t1", **data)
    assert open_complaints(folded([touchpoint("complaint.resolved", after=5), complaint])) == ["t1"]
    assert open_complaints(folded([complaint, touchpoint("complaint.resolved", after=7)])) == []


def test_an_unknown_scope_withdraws_everything_and_grants_nothing() -> None:
    assert stands(folded([consent("granted", 1, "pigeon"), consent("granted", 1, "email", "gossip")])) == {}
    assert stands(folded([consent("withdrawn", 1, "pigeon", "gossip")])) == {("", ""): False}


def test_a_merge_keeps_the_withdrawal_of_one_over_the_later_grant_of_the_other() -> None:
    merged = merge(folded([consent("withdrawn", 1)]), folded([consent("granted", 5, names=OTHER)]))
    assert stands(merged) == {("email", "marketing"): False}


def test_a_merged_withdrawal_of_everything_is_newer_than_the_others_grants() -> None:
    merged = merge(folded([consent("withdrawn", 1, "", "")]), folded([consent("granted", 5, names=OTHER)]))
    facts = {(c.channel, c.purpose): (c.granted, c.at) for c in consents.view(merged.consents)}
    assert facts["", ""][1] >= facts["email", "marketing"][1]


def test_a_grant_after_the_merge_stands_again() -> None:
    merged = merge(folded([consent("withdrawn", 1)]), folded([consent("granted", 5, names=OTHER)]))
    touch.take(merged, touchpoint("customer.identified", after=6, names=("email:ann@example.com", *OTHER)))
    assert stands(merged) == {("email", "marketing"): False}
    touch.take(merged, consent("granted", 7, names=OTHER))
    assert stands(merged) == {("email", "marketing"): True}


def test_each_complaint_holds_until_its_own_resolution() -> None:
    events: list[Touchpoint | Outcome] = [touchpoint("complaint.opened", after=1, reference=r) for r in ("t1", "t2")]
    events += [touchpoint("complaint.resolved", after=2, reference="t1", satisfied=True)]
    assert open_complaints(folded(events)) == ["t2"]


def test_a_resolution_that_arrives_before_its_complaint_still_closes_it() -> None:
    resolved, opened = touchpoint("complaint.resolved", after=2, reference="t1"), touchpoint("complaint.opened", after=1, reference="t1")
    assert open_complaints(folded([resolved, opened])) == []


def test_a_resolution_without_reference_closes_what_was_opened_up_to_then() -> None:
    events: list[Touchpoint | Outcome] = [touchpoint("complaint.opened", after=n, reference=f"t{n}") for n in (1, 5)]
    assert open_complaints(folded([*events, touchpoint("complaint.resolved", after=3)])) == ["t5"]


def test_a_merge_keeps_the_holds_of_both_and_ones_general_resolution_frees_only_itself() -> None:
    freed = folded([touchpoint("complaint.opened", after=1, reference="t1"), touchpoint("complaint.resolved", after=9)])
    both: tuple[dict[str, Any], ...] = ({"reference": "t2"}, {})
    held = folded([touchpoint("complaint.opened", after=2, names=OTHER, **data) for data in both])
    assert open_complaints(merge(freed, held)) == open_complaints(merge(held, freed)) == ["", "t2"]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([("complaint.resolved", {"satisfied": False})], True),
        ([("complaint.resolved", {"satisfied": False}), ("satisfaction.rated", {"rating": 5})], False),
        ([("complaint.resolved", {"satisfied": True})], False),
        ([("service.requested", {"reference": "s1"})], True),
        ([("service.requested", {"reference": "s1"}), ("service.completed", {"reference": "s1"})], False),
        ([("satisfaction.rated", {"rating": 2})], True),
        ([("satisfaction.rated", {"rating": 2.1})], False),
        ([("satisfaction.rated", {"rating": True})], False),
        ([("satisfaction.rated", {"rating": 1}), ("service.completed", {})], False),
        ([("satisfaction.rated", {"rating": 1, "reference": "s1"}), ("service.completed", {"reference": "s2"})], True),
        ([("satisfaction.rated", {"rating": 1, "reference": "s1"}), ("service.completed", {"reference": "s1"})], False),
    ],
)
def test_who_was_left_unsatisfied_or_waits_for_service_is_not_sold_to(events: list[tuple[str, dict[str, Any]]], expected: bool) -> None:
    assert is_unsatisfied(folded([touchpoint(kind, after=n, **data) for n, (kind, data) in enumerate(events)])) is expected


def test_a_merge_leaves_the_unsatisfied_one_unsatisfied() -> None:
    sour = folded([touchpoint("complaint.resolved", after=1, satisfied=False)])
    sweet = folded([touchpoint("satisfaction.rated", after=5, names=OTHER, rating=5)])
    assert is_unsatisfied(merge(sour, sweet))
    assert is_unsatisfied(merge(sweet, sour))
