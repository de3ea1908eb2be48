"""Names that several customers have: whom they mean, what is credited to whom, and that a stop given through one stops all."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.identity import derive
from nextwave_scoring.profile import consents, matters, view
from nextwave_scoring.profile.record import SHARERS_MAX, Profile

from .ledger import Ledger
from .making import touchpoint

ANN, BOB, CARL = "customer_id:ann", "customer_id:bob", "customer_id:carl"
PHONE, OWN = "phone:+493012345678", "email:ann@example.com"


def seen(after: float, *names: str, kind: str = "page.viewed", **data: Any) -> Touchpoint:
    return touchpoint(kind, after=after, names=names, **data)


def holder_of(ledger: Ledger, name: str) -> str:
    """The id of the customer that a shared name is now."""
    holder = ledger.unit.root_of_name(name)
    assert holder is not None
    assert ledger.unit.customers[holder].profile.sharers
    return holder


def withdrawn(profile: Profile) -> set[str]:
    return {fact.channel for fact in consents.view(profile.consents) if not fact.granted}


def test_a_phone_named_with_two_accounts_means_neither_of_them_any_more() -> None:
    for first, second in ((ANN, BOB), (BOB, ANN)):
        ledger = Ledger()
        ledger.see(seen(0, first, PHONE), seen(1, second, PHONE))
        [alone] = ledger.see(seen(2, PHONE))
        assert alone.customer_id == holder_of(ledger, PHONE)
        assert view.shared_names(ledger.profile(PHONE)) == (PHONE,)
        assert {view.shared_names(ledger.profile(name)) for name in (ANN, BOB)} == {(PHONE,)}
        assert [ledger.profile(name).touchpoints for name in (ANN, BOB, PHONE)] == [1, 1, 1]


def test_who_names_themselves_beside_a_shared_name_is_meant_and_stays_one() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE))
    messages = ledger.see(seen(2, ANN, PHONE), seen(3, "anonymous_id:d", PHONE), seen(4, PHONE, BOB))
    assert [m.customer_id for m in messages] == [derive(ANN), derive("anonymous_id:d"), derive(BOB)]
    assert all(isinstance(m, CustomerUpdated) for m in messages)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("sms.received", {"wish": "opt_out"}),
        ("consent.withdrawn", {"channel": "", "purpose": ""}),
        ("call.wrapped_up", {"refusal": True}),
        ("complaint.opened", {"reference": "t1"}),
    ],
)
def test_a_stop_through_a_shared_name_stops_everybody_in_every_order(kind: str, data: dict[str, Any]) -> None:
    shared = [seen(0, ANN, PHONE), seen(1, BOB, PHONE), seen(2, CARL, PHONE)]
    for order in permutations([*shared, seen(3, PHONE, kind=kind, **data)]):
        ledger = Ledger()
        ledger.see(*order)
        for name in (ANN, BOB, CARL):
            profile = ledger.profile(name)
            assert withdrawn(profile) or matters.holds(profile.matters), (name, [t.identifiers for t in order])


def test_a_stop_through_a_shared_name_is_made_known_for_everybody() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE))
    messages = ledger.see(seen(2, PHONE, kind="sms.received", wish="opt_out"))
    told = {m.customer_id: [(c.channel, c.granted) for c in m.profile.consents] for m in messages}
    assert told == {customer: [("sms", False)] for customer in (holder_of(ledger, PHONE), derive(ANN), derive(BOB))}
    assert [m.touchpoint is None for m in messages] == [False, True, True]


def test_what_was_stopped_through_a_shared_name_is_lifted_for_who_lifts_it_by_a_name_of_their_own() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE), seen(2, PHONE, kind="sms.received", wish="opt_out"))
    ledger.see(seen(3, PHONE, kind="sms.received", wish="opt_in"))
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB, PHONE)] == [{"sms"}, {"sms"}, set()]
    ledger.see(seen(4, ANN, kind="consent.granted", channel="sms", purpose=""))
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB)] == [set(), {"sms"}]


def test_what_one_says_by_their_own_name_binds_the_others_only_where_the_address_is_theirs_too() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE))
    ledger.see(seen(2, ANN, PHONE, kind="consent.withdrawn", channel="email", purpose=""))
    ledger.see(seen(3, ANN, PHONE, kind="complaint.opened", reference="t"))
    ledger.see(seen(4, ANN, PHONE, kind="sms.received", wish="opt_out"))
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB)] == [{"email", "sms"}, {"sms"}]
    assert [len(matters.holds(ledger.profile(name).matters)) for name in (ANN, BOB)] == [1, 0]


def test_sharers_who_are_declared_one_have_the_name_for_themselves_again() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE), seen(2, PHONE), seen(3, ANN, BOB, kind="identities.linked"))
    ledger.see(seen(4, PHONE, kind="order.placed", amount=5, currency="EUR"))
    assert ledger.profile(PHONE) is ledger.profile(ANN) is ledger.profile(BOB)
    assert ledger.profile(PHONE).touchpoints == 5
    assert view.shared_names(ledger.profile(PHONE)) == ()


def test_a_shared_name_that_is_declared_one_customers_is_theirs() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE), seen(2, PHONE), seen(3, ANN, PHONE, kind="identities.linked"))
    assert ledger.profile(PHONE) is ledger.profile(ANN)
    assert ledger.profile(PHONE).touchpoints == 3
    assert not ledger.profile(PHONE).sharers


def test_a_till_is_shared_by_a_bounded_number_of_customers_and_merges_none_of_them() -> None:
    ledger = Ledger()
    ledger.see(*(seen(n, f"customer_id:{n}", "device_token:till") for n in range(3 * SHARERS_MAX)))
    assert len({id(ledger.profile(f"customer_id:{n}")) for n in range(3 * SHARERS_MAX)}) == 3 * SHARERS_MAX
    assert len(ledger.profile("device_token:till").sharers) == SHARERS_MAX


def test_our_own_name_for_a_shared_name_does_not_merge_it_into_who_answers() -> None:
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE), seen(2, PHONE))
    [clicked] = ledger.see(seen(3, f"external:nextwave:{holder_of(ledger, PHONE)}", BOB, kind="email.clicked"))
    assert clicked.customer_id == derive(BOB)
    assert ledger.profile(PHONE).touchpoints == 1


def test_what_is_read_before_a_name_gave_way_is_read_again() -> None:
    """A batch may have read a binding before it got the lock of its customer."""
    ledger = Ledger()
    ledger.see(seen(0, ANN, PHONE), seen(1, BOB, PHONE))
    assert ledger.unit.doubtful() == []
    ledger.unit.bindings[PHONE] = derive(ANN)
    assert ledger.unit.doubtful() == [PHONE]
    assert ledger.unit.sharers() == {derive(ANN), derive(BOB)}
