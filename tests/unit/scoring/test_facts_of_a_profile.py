"""What a profile tells beside the risk: activity, hours, proofs, contracts, products, categories, matters solved."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import exp
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.customers import Cases
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.customer import Customer
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile import bounds, decay, view
from nextwave_scoring.profile.merge import merge
from nextwave_scoring.profile.record import CATEGORIES_MAX, KINDS_MAX, PRODUCTS_MAX, TERMS_MAX, Profile
from nextwave_scoring.profile.subjects import CODE_OF, SUBJECT_OF

from .making import START, folded, outcome, touchpoint

Event = Touchpoint | Outcome
AT = micros(START)


@given(st.lists(st.integers(0, 300 * 24 * 60), min_size=1, max_size=30), st.integers(0, 60), st.sampled_from([0, 1, 2]))
def test_a_decayed_count_is_the_sum_of_its_events_by_age(minutes: list[int], later: int, span: int) -> None:
    profile = folded([touchpoint("page.viewed", after=minute / 1440) for minute in minutes])
    at = AT + (max(minutes) + later) * 60_000_000
    expected = sum(exp(-(at - AT - minute * 60_000_000) / (decay.SPANS_DAYS[span] * DAY)) for minute in minutes)
    assert decay.read(profile.counts, profile.landmark, "web", span=span, at=at) == pytest.approx(expected, rel=1e-4, abs=2.0**-16 * 30)


def test_counts_of_the_build_before_are_read_as_what_they_were() -> None:
    stored = msgspec.to_builtins(Customer(folded([touchpoint("page.viewed", after=3)])))
    stored[0] = stored[0][:25]
    stored[0][7] = {"web": [2.0, 3.0, 4.0]}
    profile = msgspec.convert(stored, Customer).profile
    begin = profile.landmark * DAY
    assert [decay.read(profile.counts, profile.landmark, "web", span=span, at=begin) for span in range(3)] == pytest.approx(
        [2.0, 3.0, 4.0], rel=1e-3
    )


def test_reports_on_contacts_of_the_build_before_keep_what_they_said() -> None:
    stored = msgspec.to_builtins(Customer(folded([outcome("accepted", action="a"), outcome("accepted", action="b")])))
    contacts = stored[0][Profile.__struct_fields__.index("contacts")]
    contacts["a"][3:] = [True, False]
    contacts["b"][3:] = [True, True]
    past = view.past_contacts(msgspec.convert(stored, Customer).profile)
    assert [(contact.action_id, contact.unsent, contact.at) for contact in past] == [("a", True, START), ("b", False, START)]


def test_every_type_is_counted_by_itself_and_per_channel() -> None:
    profile = folded([touchpoint(kind) for kind in ("call.offered", "call.answered", "sms.received", "page.viewed", "Song Played")])
    kinds = view.kinds(profile, AT)
    assert kinds.keys() == {"call.offered", "call.answered", "sms.received", "page.viewed", "Song Played"}
    assert all(count == pytest.approx(1, abs=1e-3) for count in kinds.values())
    assert view.channels(profile, AT) == {
        "call": pytest.approx(2, abs=1e-3), "sms": pytest.approx(1, abs=1e-3), "web": pytest.approx(1, abs=1e-3)
    }  # fmt: skip


def test_how_types_are_stored_never_changes() -> None:
    """Profiles hold these: a type that moved would be read as another."""
    assert [CODE_OF[kind] for kind in ("page.viewed", "message.left", "referral.made", "identities.separated")] == ["w0", "w10", "a6", "a7"]
    assert [CODE_OF[kind] for kind in ("order.placed", "contract.cancelled", "call.offered", "sms.received")] == ["o0", "o6", "p0", "m0"]
    assert [CODE_OF[kind] for kind in ("chat.ended", "complaint.opened", "product.registered")] == ["m6", "s0", "s6"]
    assert len(set(CODE_OF.values())) == len(SUBJECT_OF)


def test_types_of_a_sources_own_are_bounded_and_those_kept_are_complete() -> None:
    events: list[Event] = [touchpoint(f"game.level_{n % 50}", after=n / 100) for n in range(200)]
    kinds = view.kinds(folded(events), AT + 2 * DAY)
    assert len(kinds) == KINDS_MAX
    assert all(count == pytest.approx(4, rel=0.1) for count in kinds.values())


@given(st.lists(st.sampled_from([f"k{n}" for n in range(30)]), max_size=80))
def test_a_sample_keeps_whole_sums_in_any_order(keys: list[str]) -> None:
    def summed(order: list[str]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for key in order:
            if bounds.has_room(sums, key, 5):
                sums[key] = sums.get(key, 0) + 1
                sums = bounds.sampled(sums, 5)
        return sums

    assert summed(keys) == summed(keys[::-1])
    assert all(count == keys.count(key) for key, count in summed(keys).items())


def test_responses_are_counted_per_channel_and_step() -> None:
    steps: list[Event] = [outcome(kind, action=f"a{n}") for n in range(2) for kind in ("accepted", "delivered", "opened")]
    steps += [outcome("clicked"), outcome("answered", channel="call")]
    found = view.responses(folded(steps), AT)
    near = {step: round(count, 2) for step, count in found["email"].items()}
    assert near == {"sent": 2.0, "opened": 2.0, "clicked": 1.0, "reached": 3.0}
    assert found["call"].keys() == {"answered", "reached"}


def test_the_best_hour_is_told_on_the_customers_clock_whatever_was_known_when_it_was_counted() -> None:
    mondays: list[Event] = [outcome("opened", after=7 * n, action=f"a{n}") for n in range(3)]
    profile = folded([*mondays, outcome("opened", after=1.5, action="b"), touchpoint("sms.received", after=0.25, wish=None)])
    assert view.best_hours(profile, "UTC", AT)["email"][0][:2] == (0, 9)
    assert view.best_hours(profile, "Asia/Tokyo", AT)["email"][0][:2] == (0, 18)
    assert view.best_hours(profile, "Pacific/Auckland", AT)["sms"][0][:2] == (1, 4)
    assert view.best_hours(profile, "America/Los_Angeles", AT + 14 * DAY)["email"][0][2] == pytest.approx(2.78, abs=0.1)


def test_the_best_hour_moves_with_the_clocks_at_the_very_second_at_which_they_are_set() -> None:
    profile = folded([outcome("opened")])
    set_at = micros(datetime(2026, 3, 29, 1, tzinfo=UTC))
    assert view.best_hours(profile, "Europe/Berlin", set_at - 1)["email"][0][:2] == (0, 10)
    assert view.best_hours(profile, "Europe/Berlin", set_at)["email"][0][:2] == (0, 11)


def test_hours_of_a_year_and_a_half_ago_are_forgotten_whatever_is_read_first() -> None:
    old, new = outcome("opened", after=0), outcome("opened", after=1200, action="b")
    assert folded([old, new]).hours == folded([new, old]).hours
    assert len(folded([new, old]).hours["email"]) == 1


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ([outcome("clicked", after=2)], ("email",)),
        ([outcome("opened", after=2)], ()),
        ([touchpoint("customer.identified", after=2, email_verified=True, phone_verified=False)], ("email",)),
        ([touchpoint("customer.identified", after=2, phone_verified=True)], ("call", "sms")),
        ([touchpoint("consent.granted", after=2, channel="email", purpose="marketing", double_opt_in=True)], ("email",)),
        ([touchpoint("sms.received", after=2)], ("sms",)),
    ],
)
def test_an_address_is_proved_by_who_reads_what_is_sent_there(proof: list[Event], expected: tuple[str, ...]) -> None:
    known = touchpoint("customer.identified", after=1, names=("customer_id:7", "phone:+493012345678", "email:ann@example.com"))
    assert view.verified_channels(folded([known, *proof])) == expected


def test_what_proved_an_older_address_proves_nothing_of_a_new_one() -> None:
    older = touchpoint("page.viewed", after=1, names=("email:old@example.com",))
    newer = touchpoint("page.viewed", after=3, names=("email:new@example.com",))
    assert view.verified_channels(folded([older, outcome("clicked", after=2), newer])) == ()
    assert view.verified_channels(folded([older, newer, outcome("clicked", after=4)])) == ("email",)


def contract(kind: str, after: float, **data: Any) -> Touchpoint:
    return touchpoint(f"contract.{kind}", after=after, **data)


def test_a_contract_is_what_was_told_of_it_last() -> None:
    told: list[Event] = [
        contract("signed", 1, reference="c1", ends="2027-01-01"),
        contract("renewed", 5, reference="c1", ends="2028-01-01T00:00:00Z"),
        contract("cancelled", 9, reference="c1"),
        touchpoint("customer.identified", after=2, contract_end="2026-05-01"),
    ]
    profile = folded(told)
    one, other = profile.contracts["c1"], profile.contracts[""]
    day = AT // DAY * DAY - 4 * DAY  # 2026-01-01
    assert (one.started_at, one.renewed_at, one.cancelled_at) == (AT + DAY, AT + 5 * DAY, AT + 9 * DAY)
    assert (one.ends_at, other.ends_at) == (day + 730 * DAY, day + 120 * DAY)


def test_dates_of_contracts_are_bounded_and_the_newest_stay() -> None:
    profile = folded([contract("renewed", n, reference=str(n)) for n in range(TERMS_MAX + 9)])
    assert sorted(map(int, profile.contracts)) == list(range(9, TERMS_MAX + 9))


def test_products_have_their_purchase_date_and_are_bounded() -> None:
    events: list[Event] = [touchpoint("product.registered", after=n, name=f"oven {n}", serial=f"s{n}") for n in range(20)]
    events += [touchpoint("product.registered", after=30, name="oven", serial="s19", purchase_date="2024-02-29")]
    products = view.products(folded(events))
    assert len(products) == PRODUCTS_MAX
    assert (products[0].name, products[0].serial, products[0].purchased_on) == ("oven", "s19", date(2024, 2, 29))


def test_categories_bought_from_are_counted_by_item_and_bounded() -> None:
    items = [{"category": " Shoes "}, {"category": "Shoes"}, {"category": "Hats"}, {"category": 7}, "x"]
    profile = folded([touchpoint("order.placed", amount=1, currency="EUR", products=items), touchpoint("order.placed", category="Hats")])
    assert profile.categories == {"Shoes": [2, AT], "Hats": [2, AT]}
    assert view.categories(profile) == ("Hats", "Shoes")
    many: list[Event] = [touchpoint("order.placed", after=n, category=f"c{n}") for n in range(CATEGORIES_MAX * 3)]
    assert len(folded(many).categories) == CATEGORIES_MAX


def test_matters_solved_and_the_time_that_it_took_do_not_depend_on_what_was_heard_first() -> None:
    events: list[Event] = [touchpoint("service.requested", after=n, reference=f"s{n}") for n in range(3)]
    events += [touchpoint("service.completed", after=n + 2, reference=f"s{n}") for n in range(2)]
    solved = Cases(open=1, solved=2, mean_seconds=2 * 86_400)
    assert view.services(folded(events)) == view.services(folded(events[::-1])) == solved
    assert view.complaints(folded(events)) == Cases()


def test_a_complaint_in_a_call_is_a_case_with_the_reference_of_its_touchpoint() -> None:
    called = touchpoint("call.wrapped_up", complaint=True)
    solved = touchpoint("complaint.resolved", after=1, reference=called.id)
    assert view.complaints(folded([called])) == Cases(open=1)
    assert (view.complaints(folded([called, solved])).open, view.complaints(folded([called, solved])).solved) == (0, 1)


def test_signs_of_why_a_customer_leaves_are_counted_with_the_newest() -> None:
    profile = folded([touchpoint("complaint.opened", after=n, reference=str(n)) for n in (4, 1)])
    assert profile.hints["dissatisfied/complaint"] == [2, AT + 4 * DAY]


def test_referrals_and_hints_of_both_are_added_by_a_merge() -> None:
    one = folded([touchpoint("referral.made"), touchpoint("complaint.opened")])
    assert merge(one, one).referrals == 2
    assert merge(one, one).hints["dissatisfied/complaint"][0] == 2
