"""Frequency caps, against a checker that looks at every window there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import CustomersMerged, PastContact
from nextwave_contracts.outcomes import CONTACT_MADE, NOT_SENT
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.caps import CapRule, free_at, reserve, settle, together, used
from nextwave_orchestrator.state import RESERVATIONS_MAX, Reservation
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, snapshot, wave

START = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

rules = st.lists(
    st.builds(
        CapRule,
        st.integers(0, 4),
        st.integers(1, 72).map(lambda hours: hours * 3600.0),
        st.sampled_from(["", "email", "sms"]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "marketing", "care"]),
    ),
    min_size=1,
    max_size=4,
)
wishes = st.lists(
    st.tuples(
        st.integers(0, 60 * 24),
        st.sampled_from(["email", "sms"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["marketing", "care"]),
        st.booleans(),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(rules=rules, wishes=wishes)
def test_no_window_ever_holds_more_than_its_cap_and_what_failed_is_given_back(
    rules: list[CapRule], wishes: list[tuple[int, str, str, str, bool]]
) -> None:
    now = START
    reservations: tuple[Reservation, ...] = ()
    kept: list[Reservation] = []
    for number, (minutes, channel, campaign_key, purpose, fails) in enumerate(wishes):
        now += timedelta(minutes=minutes)
        applied = [rule for rule in rules if rule.covers(channel, campaign_key, purpose)]
        allowed = all(free_at(rule, reservations, now) <= now for rule in applied)
        new = Reservation(f"a{number}", campaign_key, channel, purpose, now)
        fits = all(_most_in_a_window(rule, [*kept, new]) <= rule.most for rule in applied)
        assert allowed == fits
        if allowed:
            reservations = reserve(reservations, new)
            if fails:
                reservations = settle(reservations, new, "failed")
            else:
                kept.append(new)


def _most_in_a_window(rule: CapRule, contacts: list[Reservation]) -> int:
    """The fullest half-open window `(t - per, t]`; it is enough to end windows at contacts."""
    per = timedelta(seconds=rule.seconds)
    ours = [
        c.at for c in contacts if rule.channel in ("", c.channel) and rule.campaign in ("", c.campaign) and rule.purpose in ("", c.purpose)
    ]
    return max((sum(1 for at in ours if end - per < at <= end) for end in ours), default=0)


@given(ages=st.lists(st.integers(1, 200), max_size=12), most=st.integers(1, 5), hours=st.integers(1, 100))
def test_the_free_instant_is_the_first_hour_at_which_one_more_fits(ages: list[int], most: int, hours: int) -> None:
    now = START + timedelta(days=20)
    rule = CapRule(most, hours * 3600.0)
    reservations = tuple(Reservation(str(n), "a", "email", "marketing", now - age * HOUR) for n, age in enumerate(ages))
    free = free_at(rule, reservations, now)

    def fits(at: datetime) -> bool:
        return sum(1 for r in reservations if at - timedelta(hours=hours) < r.at) < most

    walk = now
    while not fits(walk):
        walk += HOUR
    assert free == walk
    assert used(rule, reservations, now) == sorted(r.at for r in reservations if now - timedelta(hours=hours) < r.at)


def test_reservations_are_bounded_and_counted_once_per_action() -> None:
    reservations: tuple[Reservation, ...] = ()
    for n in range(RESERVATIONS_MAX + 20):
        reservations = reserve(reservations, Reservation(str(n), "a", "email", "marketing", START + n * HOUR))
        reservations = reserve(reservations, reservations[-1])
    assert len(reservations) == RESERVATIONS_MAX
    assert len({r.action_id for r in reservations}) == RESERVATIONS_MAX
    assert reserve(reservations, Reservation("late", "a", "email", "marketing", START + 400 * DAY)) == (
        Reservation("late", "a", "email", "marketing", START + 400 * DAY),
    )


def capped(*caps: Cap, window: str = "48h") -> House:
    rivals = (campaign("a", wave("tell", "email", window=window)), campaign("b", wave("tell", "email", window=window)))
    return House(catalogue(*rivals, policy=Policy(caps=caps)))


def test_a_second_campaign_is_deferred_until_the_first_contact_falls_out_of_the_window() -> None:
    house = capped(Cap(most=1, per="24h"))
    house.touch("cart.updated")
    assert [(d.campaign, d.result, d.reason) for d in house.decisions] == [("a", "act", "permitted"), ("b", "defer", "outranked")]
    assert house.decisions[1].until == MONDAY_NOON + DAY
    house.wait(MONDAY_NOON + DAY - timedelta(microseconds=1))
    assert len(house.all(Contact)) == 1
    house.wait(MONDAY_NOON + DAY)
    assert [contact.campaign for contact in house.all(Contact)] == ["a", "b"]


def test_a_cap_that_frees_only_after_the_window_withholds() -> None:
    house = capped(Cap(most=1, per="7d"))
    house.touch("cart.updated")
    assert [(d.result, d.reason) for d in house.decisions] == [("act", "permitted"), ("withhold", "outranked")]


def test_a_contact_that_was_never_sent_is_given_back() -> None:
    house = capped(Cap(most=1, per="24h"))
    house.touch("cart.updated")
    house.outcome("accepted", house.all(Contact)[0])
    house.outcome("failed", house.all(Contact)[0], MONDAY_NOON + HOUR)
    assert [r.counts for r in house.state.reservations] == [False]
    assert free_at(CapRule(1, 86_400.0), house.state.reservations, MONDAY_NOON + HOUR) == MONDAY_NOON + HOUR


@pytest.mark.parametrize("gone", sorted(NOT_SENT))
@pytest.mark.parametrize("proof", sorted(CONTACT_MADE))
def test_proof_of_contact_outweighs_a_failure_in_any_order(gone: str, proof: str) -> None:
    for order in permutations(["accepted", gone, proof]):
        house = capped(Cap(most=1, per="24h"))
        house.touch("cart.updated")
        contact = house.all(Contact)[0]
        for hours, kind in enumerate(order):
            house.outcome(kind, contact, MONDAY_NOON + hours * HOUR)
        house.touch("cart.updated")
        assert [r.at for r in house.state.reservations if r.counts] == [MONDAY_NOON]
        assert len(house.all(Contact)) == 1


@pytest.mark.parametrize("order", [("accepted", "failed"), ("failed", "accepted")])
def test_acceptance_proves_no_contact(order: tuple[str, str]) -> None:
    house = capped(Cap(most=1, per="24h"))
    house.touch("cart.updated")
    for kind in order:
        house.outcome(kind, house.all(Contact)[0])
    assert [r.counts for r in house.state.reservations] == [False]


def test_a_contact_that_only_its_outcome_tells_of_counts_from_then_and_a_late_click_does_not() -> None:
    house = capped(Cap(most=1, per="24h"))
    made = replace(_contact(), action_id="made-by-the-absorbed")
    house.outcome("clicked", made)
    assert not house.state.reservations
    house.outcome("accepted", made)
    counted = Reservation("made-by-the-absorbed", "a", "email", "marketing", MONDAY_NOON, tried_at=MONDAY_NOON)
    assert list(house.state.reservations) == [counted]
    house.touch("cart.updated")
    assert {(d.result, d.reason) for d in house.decisions} == {("defer", "cap")}


def _contact() -> Contact:
    house = capped()
    house.touch("cart.updated")
    return house.all(Contact)[0]


def test_failures_never_push_out_what_counts() -> None:
    reservations = reserve((), Reservation("real", "a", "email", "marketing", START))
    for n in range(RESERVATIONS_MAX + 20):
        reservations = settle(reservations, Reservation(f"f{n}", "a", "email", "marketing", START + n * HOUR / 10), "failed")
    assert len(reservations) == RESERVATIONS_MAX
    assert used(CapRule(1, 86_400.0), reservations, START + HOUR) == [START]


def test_attempts_that_were_followed_by_another_never_push_out_what_counts() -> None:
    reservations = reserve((), Reservation("real", "a", "email", "marketing", START))
    for n in range(1, RESERVATIONS_MAX + 20):
        reservations = reserve(reservations, Reservation(f"call-{n}", "a", "call", "marketing", START + n * HOUR / 10))
    assert len(reservations) == RESERVATIONS_MAX
    last = START + (RESERVATIONS_MAX + 19) * HOUR / 10
    assert used(CapRule(1, 7 * 86_400.0), reservations, START + DAY) == [START, last]


def test_a_cap_holds_as_many_contacts_as_are_remembered() -> None:
    rule, reservations = CapRule(RESERVATIONS_MAX, 90 * 86_400.0), tuple[Reservation, ...]()
    for n in range(RESERVATIONS_MAX):
        assert free_at(rule, reservations, START + n * HOUR) == START + n * HOUR
        reservations = reserve(reservations, Reservation(str(n), "a", "email", "marketing", START + n * HOUR))
    assert free_at(rule, reservations, START + 80 * DAY) == START + 90 * DAY


def test_a_failed_contact_of_an_absorbed_customer_counts_once_it_proves_made() -> None:
    house = capped(Cap(most=1, per="24h"))
    past = PastContact(action_id="old", campaign="x", channel="email", at=MONDAY_NOON - HOUR, unsent=True)
    house.take(CustomersMerged(customer_id=CUSTOMER, absorbed="c-0", at=MONDAY_NOON, profile=snapshot(), contacts=(past,)))
    assert [r.counts for r in house.state.reservations] == [False]
    house.outcome("clicked", replace(_contact(), action_id="old"))
    assert [(r.counts, r.at) for r in house.state.reservations] == [(True, MONDAY_NOON - HOUR)]


def test_contacts_of_an_absorbed_customer_count_after_the_merge() -> None:
    house = capped(Cap(most=1, per="24h"))
    past = PastContact(action_id="old", campaign="x", channel="sms", at=MONDAY_NOON - HOUR)
    for _ in range(2):
        house.merge("c-0", contacts=[past])
    house.touch("cart.updated")
    assert {(d.result, d.reason, d.until) for d in house.decisions} == {("defer", "cap", MONDAY_NOON + 23 * HOUR)}


def test_what_either_of_two_customers_knows_of_a_contact_counts_for_both() -> None:
    """One heard that it failed, the other that it was made, and proof outweighs; what only failed is given back."""
    decided = Reservation("a1", "a", "email", "marketing", START)
    known = [decided, replace(decided, unsent=True), replace(decided, made=True)]
    for mine, theirs in product(known, known):
        (one,) = together((mine,), (theirs,))
        assert (one.unsent, one.made) == (mine.unsent or theirs.unsent, mine.made or theirs.made)
        assert one.counts == (mine.made or theirs.made or not (mine.unsent or theirs.unsent))
