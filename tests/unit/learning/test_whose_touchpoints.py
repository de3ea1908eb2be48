"""Learning from the topic tells customers apart as the service does: by its own fold, with its limits and what operators separated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.identifiers import INTERNAL
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_local.learning.customers import histories_of
from nextwave_local.learning.history import History
from nextwave_runtime.application import RejectedError
from nextwave_scoring.identity import CONTACTS_MAX, derive
from unit.scoring.ledger import Ledger
from unit.scoring.making import taken

from .customers import START

ANN, BOB, MAIL, OTHER_MAIL = "customer_id:ann", "customer_id:bob", "email:ann@example.com", "email:bob@example.com"
DEVICE, PHONE, STRANGER = "anonymous_id:d1", "phone:+493012345678", "external:nextwave:nobody"
Told = tuple[str, tuple[str, ...], tuple[str, ...]]


def stream(*told: Told) -> list[Touchpoint]:
    """One touchpoint a day: its type, its names, and for a separation the names that leave."""
    return [_touchpoint(day, *one) for day, one in enumerate(told)]


def _touchpoint(day: int, kind: str, names: tuple[str, ...], leaving: tuple[str, ...]) -> Touchpoint:
    at = START + timedelta(days=day)
    data = {"identifiers": list(leaving)} if leaving else {}
    return Touchpoint(id=f"t{day}", source="shop", type=kind, identifiers=names, occurred_at=at, received_at=at, data=data)


def seen(*names: str) -> Told:
    return "page.viewed", names, ()


def whose(histories: list[History]) -> dict[str, set[str]]:
    """The touchpoints of each customer."""
    return {one.customer: {touchpoint.id for touchpoint in one.touchpoints} for one in histories}


def learned(*told: Told) -> list[set[str]]:
    """The touchpoints of each customer, in the order in which they were first seen."""
    return sorted(whose(histories_of(stream(*told), print)).values(), key=min)


_NAMES = st.lists(st.sampled_from([ANN, BOB, MAIL, OTHER_MAIL, DEVICE, PHONE, STRANGER]), min_size=1, max_size=3, unique=True).map(tuple)
_KINDS = st.sampled_from(["page.viewed", "page.viewed", "order.placed", "identities.linked", "identities.separated"])
_TOLD = st.builds(lambda kind, names, leaving: (kind, names, leaving if "separated" in kind else ()), _KINDS, _NAMES, _NAMES)


@settings(max_examples=150, deadline=None)
@given(told=st.lists(_TOLD, max_size=16), data=st.data())
def test_the_customers_of_the_histories_are_those_that_the_service_makes(told: list[Told], data: st.DataObject) -> None:
    touchpoints, service = stream(*told), Ledger()
    for touchpoint in touchpoints:
        try:
            service.take(taken(touchpoint))
        except RejectedError:
            continue
    made: dict[str, set[str]] = {}
    for entry in service.unit.entries:
        made.setdefault(str(service.unit.root(entry.customer_id)), set()).add(entry.id)
    shuffled = data.draw(st.permutations(touchpoints))
    assert whose(histories_of([*shuffled, *touchpoints], print)) == made


@pytest.mark.parametrize("between", [DEVICE, MAIL, PHONE])
def test_two_accounts_that_a_name_leads_to_are_two_customers(between: str) -> None:
    """A household's device, mail address or phone; what comes by it alone is neither's."""
    assert learned(seen(ANN, between), seen(BOB, between), seen(BOB), seen(between)) == [{"t0"}, {"t1", "t2"}, {"t3"}]


def test_a_public_computer_makes_no_customer_of_hundreds() -> None:
    people = learned(*(seen(DEVICE, f"email:m{number:03}@example.com") for number in range(100)))
    assert [len(own) for own in people] == [CONTACTS_MAX, *[1] * (100 - CONTACTS_MAX)]


def test_who_was_separated_is_two_customers_with_what_each_did() -> None:
    split: Told = ("identities.separated", (MAIL,), (OTHER_MAIL,))
    found = learned(seen(MAIL), seen(OTHER_MAIL), seen(MAIL, OTHER_MAIL), split, seen(OTHER_MAIL))
    assert found == [{"t0", "t2", "t3"}, {"t1", "t3", "t4"}]


def test_what_names_nobody_is_left_out_and_told() -> None:
    told: list[str] = []
    own = replace(stream(seen(ANN))[0], id="own", identifiers=(f"{INTERNAL}{derive(ANN)}",), received_at=START + timedelta(days=9))
    lost = replace(own, id="lost", identifiers=(STRANGER,))
    assert whose(histories_of([lost, own, *stream(seen(ANN))], told.append)) == {derive(ANN): {"t0", "own"}}
    assert told == ["1 touchpoints name no customer that is known, and are left out"]
