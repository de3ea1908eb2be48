"""An operator takes names off a customer: two customers as if they had never been one, with the stops of both on both."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import RejectedError
from nextwave_scoring.identity import derive
from nextwave_scoring.profile import consents, matters
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.separation import new_id

from .ledger import Ledger
from .making import outcome_messages, taken, touchpoint, touchpoints

ANN, DEVICE = "email:ann@example.com", "anonymous_id:d1"
BOB, PHONE = "email:bob@example.com", "phone:+493012345678"
SPLIT_AT = 500


def seen(after: float, *names: str, kind: str = "page.viewed", **data: Any) -> Touchpoint:
    return touchpoint(kind, after=after, names=names, **data)


def split(*leaving: str, names: tuple[str, ...] = (ANN,), after: float = SPLIT_AT) -> Touchpoint:
    return seen(after, *names, kind="identities.separated", identifiers=list(leaving))


def withdrawn(profile: Profile) -> set[str]:
    return {fact.channel for fact in consents.view(profile.consents) if not fact.granted}


def test_names_that_leave_are_a_customer_of_their_own_with_what_they_did() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN), seen(1, BOB, kind="order.placed", amount=5, currency="EUR"), seen(2, ANN, BOB), seen(3, BOB))
    remaining, left = ledger.see(split(BOB))
    assert isinstance(remaining, CustomerUpdated)
    assert (remaining.customer_id, left.customer_id) == (derive(ANN), new_id(split(BOB)))
    assert (remaining.profile.identifiers, left.profile.identifiers) == ((ANN,), (BOB,))
    assert (remaining.profile.orders.count, left.profile.orders.count) == (0, 1)
    [again] = ledger.see(seen(SPLIT_AT + 1, BOB))
    assert again.customer_id == left.customer_id


def test_the_timeline_follows() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN), seen(1, BOB), seen(2, ANN, BOB), seen(3, BOB), split(BOB))
    lines = [(entry.customer_id == derive(ANN), entry.type, entry.at.day) for entry in ledger.unit.entries]
    kind = "page.viewed"
    assert [is_ann for is_ann, *_ in lines] == [True, False, True, False, True, False]
    assert [t for _, t, _ in lines] == [kind] * 4 + ["identities.separated"] * 2


def test_a_line_goes_with_its_strongest_name() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, DEVICE), seen(1, BOB, DEVICE), seen(2, DEVICE), split(BOB))
    assert [ledger.profile(name).touchpoints for name in (ANN, BOB)] == [2 + 1, 1 + 1]
    assert ledger.profile(DEVICE) is ledger.profile(ANN)


def test_stops_and_holds_stay_on_both_and_each_lifts_its_own() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN), seen(1, ANN, BOB), seen(2, BOB, kind="consent.withdrawn", channel="sms", purpose=""))
    ledger.see(
        seen(3, ANN, kind="complaint.opened", reference="t"), seen(4, ANN, kind="call.wrapped_up", disposition="refused"), split(BOB)
    )
    for name in (ANN, BOB):
        profile = ledger.profile(name)
        assert withdrawn(profile) == {"sms"}
        assert [hold.reference for hold in matters.holds(profile.matters)] == ["t"]
        assert profile.refused
        assert profile.complained_at
    ledger.see(seen(SPLIT_AT + 1, ANN, kind="complaint.resolved", reference="t", satisfied=True))
    ledger.see(seen(SPLIT_AT + 2, BOB, kind="consent.granted", channel="sms", purpose=""))
    assert [len(matters.holds(ledger.profile(name).matters)) for name in (ANN, BOB)] == [0, 1]
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB)] == [{"sms"}, set()]


def test_the_two_stay_apart_until_they_are_linked() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, DEVICE), seen(1, ANN, BOB), split(BOB), seen(SPLIT_AT + 1, BOB, DEVICE), seen(SPLIT_AT + 2, ANN, BOB))
    assert ledger.profile(ANN) is not ledger.profile(BOB)
    ledger.see(seen(SPLIT_AT + 3, ANN, BOB, kind="identities.linked"))
    assert ledger.profile(ANN) is ledger.profile(BOB)
    assert not ledger.profile(ANN).apart
    assert ledger.see(seen(SPLIT_AT + 4, ANN, BOB))[0].customer_id == ledger.unit.root_of_name(ANN)


def test_what_became_part_of_one_of_them_later_stays_apart_too() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, BOB), split(BOB), seen(SPLIT_AT + 1, "customer_id:b"), seen(SPLIT_AT + 2, "customer_id:b", BOB))
    ledger.see(seen(SPLIT_AT + 3, "customer_id:b", ANN))
    assert ledger.profile(BOB) is ledger.profile("customer_id:b")
    assert ledger.profile(BOB) is not ledger.profile(ANN)


def test_a_name_that_others_have_too_is_not_left_alone_with_the_one_that_remains() -> None:
    ledger = Ledger()
    ledger.see(seen(0, "customer_id:a", PHONE), seen(1, "customer_id:b", PHONE))
    with pytest.raises(RejectedError):
        ledger.see(split("customer_id:a", names=("customer_id:a",)))


def test_both_know_who_else_has_their_names_and_links_to_the_absorbed_go_on_meaning_the_one_that_remains() -> None:
    ledger = Ledger()
    ledger.see(seen(0, "customer_id:a", PHONE), seen(1, "customer_id:b", PHONE), seen(2, DEVICE), seen(3, "customer_id:a", DEVICE))
    ledger.see(seen(4, "customer_id:a", BOB))
    remaining, left = ledger.see(split(BOB, PHONE, names=("customer_id:a",)))
    assert (remaining.profile.absorbed, left.profile.absorbed) == ((derive(DEVICE),), ())
    assert (remaining.profile.shared, left.profile.shared) == ((PHONE,), ())
    assert remaining.profile.identifiers == ("customer_id:a", PHONE, DEVICE)


@pytest.mark.parametrize("leaving", [[], ["nonsense"], [PHONE], [ANN, BOB]])
def test_what_names_no_half_of_a_customer_is_rejected(leaving: list[str]) -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, BOB))
    with pytest.raises(RejectedError):
        ledger.see(split(*leaving))
    with pytest.raises(RejectedError):
        ledger.see(split(BOB, names=(PHONE,)))


def test_without_the_whole_timeline_the_profile_stays_where_it_is_and_the_lines_say_so() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN), seen(1, ANN, BOB), seen(2, BOB, kind="consent.withdrawn", channel="sms", purpose=""))
    ledger.unit.stored |= ledger.unit.customers.keys()
    ledger.see(split(BOB))
    assert [ledger.profile(name).touchpoints for name in (ANN, BOB)] == [4, 1]
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB)] == [{"sms"}, {"sms"}]
    assert [msgspec.json.decode(entry.data)["folded_again"] for entry in ledger.unit.entries[-2:]] == [False, False]


def test_lines_that_were_stored_without_names_stay_with_who_remains() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN), seen(1, BOB), seen(2, ANN, BOB))
    ledger.unit.entries = [msgspec.structs.replace(entry, identifiers=None, occurred_at=None) for entry in ledger.unit.entries]
    ledger.see(split(BOB))
    assert [ledger.profile(name).touchpoints for name in (ANN, BOB)] == [4, 1]


SAID = frozenset({"words", "joins", "consents", "matters", "soothed_at", "soured_at", "refused", "complained_at", "refusals"})
"""What stops stays on both."""
OF_THE_SPLIT = frozenset(
    {"apart", "touchpoints", "last_at", "landmark", "kinds", "counts", "absorbed", "hours", "contacts", "points", "named"}
)
_EVENTS = st.lists(st.one_of(touchpoints(), outcome_messages()), max_size=14)


def named(events: list[Touchpoint | Outcome], *names: str) -> list[Touchpoint | Outcome]:
    owner = derive(names[0])
    return [
        msgspec.structs.replace(e, customer_id=owner, id=f"{n}")
        if isinstance(e, Outcome)
        else msgspec.structs.replace(e, identifiers=names)
        for n, e in enumerate(events)
    ]


@settings(max_examples=60, deadline=None)
@given(_EVENTS, _EVENTS)
def test_who_was_merged_by_mistake_is_separated_into_what_they_were(a: list[Touchpoint | Outcome], b: list[Touchpoint | Outcome]) -> None:
    apart, together = Ledger(), Ledger()
    for ledger in (apart, together):
        ledger.see(seen(0, ANN, DEVICE), seen(0, BOB, PHONE))
        ledger.take(*(taken(e) for e in (*named(a, ANN, DEVICE), *named(b, BOB, PHONE))))
    together.see(seen(401, ANN, BOB), split(BOB, PHONE))
    apart.see(seen(401, ANN))
    for name in (ANN, BOB):
        one, other = apart.profile(name), together.profile(name)
        for field in set(Profile.__struct_fields__) - SAID - OF_THE_SPLIT - ({"active_at", "visits"} if name == ANN else set()):
            assert getattr(one, field) == getattr(other, field), (name, field)
        assert (other.touchpoints, other.sessions) == (one.touchpoints + 1, one.sessions)
        assert set(withdrawn(one)) <= set(withdrawn(other))
