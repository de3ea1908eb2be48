"""The laws of the profile: order, batching and merging leave no trace in it."""

from __future__ import annotations

import random
from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome, OutcomeKind
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.instants import DAY, instant, micros
from nextwave_scoring.profile import outcomes, rests, touch, view
from nextwave_scoring.profile.merge import merge
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.satisfaction import satisfaction

from .making import RATES, START, crowded, folded, histories, outcome, touchpoint

Event = Touchpoint | Outcome


_bytes = msgspec.msgpack.Encoder(order="deterministic").encode


def assert_same(a: Profile, b: Profile) -> None:
    """To the last bit, decayed counts and all."""
    assert msgspec.to_builtins(a) == msgspec.to_builtins(b)
    assert _bytes(a) == _bytes(b)


@given(histories, st.randoms())
def test_the_order_of_events_leaves_no_trace(events: list[Event], chance: random.Random) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert_same(folded(events), folded(shuffled))


@settings(max_examples=60, deadline=None)
@given(crowded, st.randoms())
def test_the_order_of_events_leaves_no_trace_where_more_happened_than_is_kept(events: list[Event], chance: random.Random) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert_same(folded(events), folded(shuffled))


@given(histories, st.lists(st.integers(0, 24), max_size=4))
def test_storing_between_batches_changes_nothing(events: list[Event], cuts: list[int]) -> None:
    profile = Profile()
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(events)], strict=True):
        stored = msgspec.msgpack.decode(msgspec.msgpack.encode(profile), type=Profile)
        profile = _continued(stored, events[start:end])
    assert_same(profile, folded(events))


def _continued(profile: Profile, events: list[Event]) -> Profile:
    for event in events:
        outcomes.take(profile, event, RATES) if isinstance(event, Outcome) else touch.take(profile, event, RATES)
    return profile


@given(histories, histories)
def test_merging_does_not_depend_on_who_is_named_first(a: list[Event], b: list[Event]) -> None:
    assert_same(merge(folded(a), folded(b)), merge(folded(b), folded(a)))


@given(histories, histories, histories)
def test_three_customers_merge_to_the_same_in_any_order(a: list[Event], b: list[Event], c: list[Event]) -> None:
    x, y, z = folded(a), folded(b), folded(c)
    assert_same(merge(merge(x, y), z), merge(x, merge(y, z)))
    assert_same(merge(merge(x, y), z), merge(merge(z, x), y))


SAID = frozenset({"words", "joins", "consents", "matters", "soothed_at", "soured_at"})
"""Here the stricter of both counts: who said it before they were one matters (`test_words`)."""


@settings(max_examples=60, deadline=None)
@given(crowded, st.randoms(), st.integers(0, 90))
def test_a_merge_in_the_middle_gives_what_one_customer_would_have(events: list[Event], chance: random.Random, cut: int) -> None:
    a = [event for event in events[:cut] if chance.random() < 0.5]
    b = [event for event in events[:cut] if event not in a]
    merged = _continued(merge(folded(a), folded(b)), events[cut:])
    together = folded([*a, *b, *events[cut:]])
    for field in set(Profile.__struct_fields__) - SAID:
        assert getattr(merged, field) == getattr(together, field), field


@given(histories, histories)
def test_sums_and_days_of_a_merge_are_those_of_the_common_history(a: list[Event], b: list[Event]) -> None:
    merged, together = merge(folded(a), folded(b)), folded([*a, *b])
    for field in ("touchpoints", "orders", "visits", "purchases", "first_at", "last_at", "active_at", "refusals", "sessions", "home"):
        assert getattr(merged, field) == getattr(together, field)


def test_a_typical_profile_takes_less_than_a_kilobyte() -> None:
    events: list[Event] = [touchpoint("page.viewed", after=day) for day in range(0, 360, 9)]
    events += [touchpoint("order.placed", after=day, amount=4990, currency="EUR") for day in range(0, 360, 30)]
    events += [
        touchpoint("customer.identified", after=1, email="ann@example.com", phone="+493012345678", plan="gold", timezone="Europe/Berlin")
    ]
    events += [touchpoint("consent.granted", after=1, channel="email", purpose="marketing"), touchpoint("complaint.opened", reference="t1")]
    events += [outcome(kind, action=f"{n:032x}") for n in range(4) for kind in ("accepted", "opened")]
    assert len(msgspec.msgpack.encode(folded(events))) < 1024


def test_a_touchpoint_that_claims_to_be_ahead_counts_for_when_it_came() -> None:
    ahead = touchpoint("page.viewed", after=3000)
    ahead = msgspec.structs.replace(ahead, received_at=touchpoint(after=1).occurred_at)
    assert folded([ahead]).last_at == folded([touchpoint(after=1)]).last_at


def test_what_happened_at_the_epoch_leaves_no_trace_of_order() -> None:
    first = touchpoint(after=-micros(START) / DAY)
    assert micros(first.occurred_at) == 0
    assert_same(folded([first, touchpoint()]), folded([touchpoint(), first]))


@pytest.mark.parametrize("silence", [400, 600])
def test_hours_of_a_customer_who_was_long_silent_fade_in_a_merge_as_they_would_have_alone(silence: int) -> None:
    clicked = [touchpoint("email.clicked", after=day) for day in (0, 1, 2)]
    merged = merge(folded([*clicked]), folded([touchpoint("email.clicked", after=silence)]))
    assert merged.hours == folded([*clicked, touchpoint("email.clicked", after=silence)]).hours


def test_orders_of_two_currencies_are_added_in_the_houses_own_at_the_rate_of_their_day() -> None:
    events: list[Event] = [touchpoint("order.placed", after=n, amount=100, currency=c) for n, c in enumerate(["EUR", "USD", "KWD"])]
    orders = view.orders(folded(events), "EUR")
    assert (orders.count, orders.revenue, orders.currency) == (3, 190, "EUR")


def test_orders_that_no_rate_is_known_for_stay_in_their_own_currency() -> None:
    events: list[Event] = [touchpoint("order.placed", after=n, amount=100, currency="KWD") for n in range(2)]
    orders = view.orders(folded(events), "EUR")
    assert (orders.count, orders.revenue, orders.currency) == (2, 200, "KWD")


def test_the_interval_between_orders_is_the_mean_of_days() -> None:
    events: list[Event] = [touchpoint("order.placed", after=n, amount=100, currency="EUR") for n in (0, 10, 30)]
    assert view.orders(folded(events), "EUR").interval_days == 15.0


def test_recent_ratings_weigh_more() -> None:
    events: list[Event] = [touchpoint("satisfaction.rated", rating=5), touchpoint("satisfaction.rated", after=90, rating=1)]
    rating = satisfaction(folded(events))
    assert rating is not None
    assert 1.9 < rating < 2.2


def test_a_bounce_marks_the_address_until_a_newer_one_is_known() -> None:
    bounced = folded([touchpoint("customer.identified", email="ann@example.com"), outcome("bounced", after=1)])
    assert [p.bounced for p in view.contact_points(bounced) if p.channel == "email"] == [True]
    known: list[Event] = [touchpoint("customer.identified", email="ann@example.com"), outcome("bounced", after=1)]
    renewed = folded([*known, touchpoint("customer.identified", after=2, email="ann@example.org", names=("customer_id:7",))])
    assert [(p.address, p.bounced) for p in view.contact_points(renewed) if p.channel == "email"] == [("ann@example.org", False)]


@pytest.mark.parametrize("kinds", list(permutations(["accepted", "expired", "delivered"])))
def test_a_past_contact_that_failed_is_told_as_unsent_until_contact_is_proved(kinds: tuple[OutcomeKind, ...]) -> None:
    events: list[Event] = [outcome("accepted", action="a1"), outcome("expired", action="a2"), outcome("accepted", action="a2")]
    events += [outcome(kind, action="a3") for kind in kinds]
    assert [(c.action_id, c.unsent) for c in view.past_contacts(folded(events))] == [("a1", False), ("a2", True), ("a3", False)]


def test_the_last_refusal_of_each_channel_and_the_last_complaint_outlive_a_merge() -> None:
    a = folded([touchpoint("call.wrapped_up", after=1, disposition="refused"), touchpoint("complaint.opened", after=9)])
    b = folded([touchpoint("call.wrapped_up", after=3, refusal=True, complaint=True), outcome("refused", after=2, channel="sms")])
    c = folded([outcome("refused", after=4, channel="pigeon")])
    merged = merge(merge(a, b), c)
    days = {channel: (at - START).days for channel, at in rests.view(merged).items()}
    assert days == {"": 4, "call": 3, "sms": 2}
    assert (instant(merged.complained_at) - START).days == 9
    assert merged.refusals == 4


def test_web_push_reaches_browsers_that_have_a_token_of_ours_and_no_native_apps() -> None:
    names = ("customer_id:7", "device_token:wp_1", "device_token:740f4707bebcf74f")
    assert [(p.channel, p.address) for p in view.contact_points(folded([touchpoint(names=names)]))] == [("webpush", "wp_1")]
