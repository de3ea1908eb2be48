"""What each name of a customer said: two who turn out to be one keep the stricter of both, whatever was read first."""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Customer, Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.identity import derive
from nextwave_scoring.profile import consents, joins, matters
from nextwave_scoring.profile.record import NAMES_MAX, Join, Profile
from nextwave_scoring.profile.satisfaction import is_unsatisfied
from nextwave_scoring.unit import Unit

from .making import taken, touchpoint

DEVICE, ACCOUNT, MAIL = "anonymous_id:d", "customer_id:1", "email:ann@example.com"
PHONE = "phone:+4930123456"
PREVIOUS = 25
"""Fields of a stored profile in the build before names were told apart."""


def read(*seen: Touchpoint) -> dict[tuple[str, ...], Profile]:
    """The customers' profiles by all their names, read in this order."""
    unit, fold = Unit(0, 4), Fold(Judge(Only(Baseline(DEFAULT))))
    for item in seen:
        fold.take(unit, taken(item))
    return {tuple(c.profile.names): c.profile for c in unit.customers.values()}


def meaning(profile: Profile) -> dict[str, Any]:
    return {
        "consents": consents.view(profile.consents),
        "complaints": matters.holds(profile.matters),
        "unsatisfied": is_unsatisfied(profile),
        "words": {name: said for name, said in msgspec.to_builtins(profile.words).items() if any(said)},
        "joins": profile.joins,
    }


def said(kind: str, after: float, *names: str, **data: Any) -> Touchpoint:
    return touchpoint(kind, after=after, names=names, **data)


def link(after: float) -> Touchpoint:
    return said("customer.identified", after, ACCOUNT, DEVICE)


STOPS = {
    "consent": said("consent.withdrawn", 1, DEVICE, channel="", purpose=""),
    "complaint": said("complaint.opened", 1, DEVICE, reference="t"),
    "sour": said("complaint.resolved", 1, DEVICE, satisfied=False, reference="x"),
    "service": said("service.requested", 1, DEVICE, reference="s"),
}
LIFTS: dict[str, tuple[str, dict[str, Any]]] = {
    "consent": ("consent.granted", {"channel": "", "purpose": ""}),
    "complaint": ("complaint.resolved", {"reference": "", "satisfied": True}),
    "sour": ("satisfaction.rated", {"rating": 5}),
    "service": ("service.completed", {"reference": ""}),
}


def stopped(profile: Profile) -> bool:
    withdrawn = any(not c.granted for c in consents.view(profile.consents))
    return withdrawn or bool(matters.holds(profile.matters)) or is_unsatisfied(profile)


@pytest.mark.parametrize("kind", STOPS)
@pytest.mark.parametrize(("at", "expected"), [(2, True), (4, False)])
def test_only_who_was_known_to_be_one_lifts_what_another_name_said_in_any_order_of_reading(kind: str, at: float, *, expected: bool) -> None:
    lift = said(LIFTS[kind][0], at, ACCOUNT, **LIFTS[kind][1])
    begins = said("page.viewed", 0, ACCOUNT)
    for order in permutations([begins, STOPS[kind], lift, link(3)]):
        (profile,) = read(*order).values()
        assert stopped(profile) is expected, [t.type for t in order]


@pytest.mark.parametrize("kind", STOPS)
def test_a_word_by_both_names_lifts_what_either_said_also_when_it_is_what_joins_them(kind: str) -> None:
    (profile,) = read(STOPS[kind], said(LIFTS[kind][0], 2, ACCOUNT, DEVICE, **LIFTS[kind][1])).values()
    assert not stopped(profile)


def test_a_name_that_always_was_the_customers_lifts_what_another_of_them_said() -> None:
    known = said("customer.identified", 0, ACCOUNT, MAIL, PHONE)
    (profile,) = read(known, said("sms.received", 1, PHONE, wish="opt_out"), said("sms.received", 2, MAIL, wish="opt_in")).values()
    assert [(c.channel, c.granted) for c in consents.view(profile.consents)] == [("sms", True)]


def test_our_own_name_for_a_customer_is_the_name_by_which_they_were_met() -> None:
    ours = f"external:nextwave:{derive(DEVICE)}"
    seen = [said("page.viewed", 0, DEVICE), link(3), said("complaint.opened", 4, ours, reference="t")]
    (profile,) = read(*seen).values()
    assert list(profile.words) == [DEVICE]


_NAMES = st.sampled_from([(DEVICE,), (ACCOUNT,), (MAIL,), (PHONE,), (DEVICE, MAIL), (ACCOUNT, DEVICE), (ACCOUNT, PHONE), (MAIL, PHONE)])
_SCOPES = st.fixed_dictionaries({"channel": st.sampled_from(["", "email", "sms"]), "purpose": st.sampled_from(["", "marketing"])})
_MATTERS = st.fixed_dictionaries({"reference": st.sampled_from(["", "t1", "t2"]), "satisfied": st.booleans()})
_SAID = st.one_of(
    st.tuples(st.sampled_from(["consent.granted", "consent.withdrawn"]), _SCOPES),
    st.tuples(st.sampled_from(["complaint.opened", "complaint.resolved", "service.requested", "service.completed"]), _MATTERS),
    st.tuples(st.sampled_from(["page.viewed", "satisfaction.rated"]), st.just({"rating": 5})),
)
_HISTORIES = st.lists(st.tuples(_NAMES, _SAID, st.integers(0, 30), st.sampled_from([0.0, 0.0, 3.5])), min_size=1, max_size=14)


@given(_HISTORIES, st.randoms())
@settings(max_examples=300, deadline=None)
def test_the_same_history_means_the_same_in_any_order_of_reading(history: list[Any], chance: random.Random) -> None:
    """Also when that order decides who is met first and who merges with whom."""
    seen = [said(kind, after, *names, **data) for names, (kind, data), after, _ in history]
    seen = [
        msgspec.structs.replace(t, received_at=taken(said("", a, "", late=late)).at)
        for t, (_, _, a, late) in zip(seen, history, strict=True)
    ]
    shuffled = list(seen)
    chance.shuffle(shuffled)
    one, other = read(*seen), read(*shuffled)
    assert {names: meaning(p) for names, p in one.items()} == {names: meaning(p) for names, p in other.items()}


def test_a_profile_of_the_build_before_was_one_all_along() -> None:
    (profile,) = read(said("customer.identified", 0, ACCOUNT, MAIL), said("consent.withdrawn", 1, MAIL, channel="", purpose="")).values()
    stored = msgspec.to_builtins(Customer(profile))
    stored[0] = stored[0][:PREVIOUS]
    before = msgspec.convert(stored, Customer).profile
    assert before.joins == [Join(0, ACCOUNT, MAIL)]
    assert consents.view(before.consents) == consents.view(profile.consents)
    assert list(before.words) == [ACCOUNT]


def test_a_ring_of_joins_at_one_instant_is_kept_the_same_whichever_was_read_last() -> None:
    ring = [["a", "b"], ["b", "c"], ["c", "d"], ["a", "d"]]
    kept = set()
    for order in permutations(ring):
        profile = Profile(names=["a", "b", "c", "d"])
        for names in order:
            joins.take(profile, names, 5)
        kept.add(tuple(profile.joins))
    assert len(kept) == 1


def test_names_beyond_the_limit_stand_for_the_strongest() -> None:
    devices = [f"anonymous_id:{n:03}" for n in range(200, 0, -1)]
    seen = [said("customer.identified", n, ACCOUNT, device) for n, device in enumerate(devices)]
    stops = [said("complaint.opened", n + 0.5, device, reference=device) for n, device in enumerate(devices)]
    (profile,) = read(*(item for pair in zip(seen, stops, strict=True) for item in pair)).values()
    assert len(profile.joins) <= NAMES_MAX
    assert len(profile.words) <= NAMES_MAX
    (profile,) = read(*seen, *stops, said("complaint.resolved", 300, ACCOUNT, reference="")).values()
    assert not matters.holds(profile.matters)


def test_names_are_ones_from_the_earliest_chain_of_touchpoints_on() -> None:
    profile = Profile(names=["a", "b", "c"])
    assert joins.take(profile, ["a", "b"], 5)
    assert joins.take(profile, ["b", "c"], 9)
    assert not joins.take(profile, ["a", "c"], 9)
    assert joins.take(profile, ["a", "c"], 7)
    since = joins.since(profile.joins)
    assert [since("a", "a"), since("a", "b"), since("b", "c"), since("a", "z")] == [0, 5, 7, joins.NEVER]
