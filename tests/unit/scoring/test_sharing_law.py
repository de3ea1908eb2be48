"""Strangers stay strangers: whatever is shared, linked and separated in whatever order, only a link makes two accounts one."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import RejectedError
from nextwave_scoring.unit import Unit

from .ledger import Ledger
from .making import touchpoint

ACCOUNTS = tuple(f"customer_id:{n}" for n in range(4))
PHONE, MAIL, DEVICE = "phone:+493012345678", "email:info@example.com", "anonymous_id:till"
_WEAK = st.sampled_from([PHONE, MAIL, DEVICE])
_ACCOUNT = st.sampled_from(ACCOUNTS)
_ONE = st.tuples(st.just("page.viewed"), st.tuples(_ACCOUNT))
_SHARING = st.tuples(st.just("page.viewed"), st.tuples(_ACCOUNT, _WEAK))
_LINKING = st.tuples(st.just("identities.linked"), st.one_of(st.tuples(_ACCOUNT, _WEAK), st.tuples(_ACCOUNT, _ACCOUNT)))
_PARTING = st.tuples(st.just("identities.separated"), st.tuples(_ACCOUNT, st.one_of(_WEAK, _ACCOUNT)))
STEPS = st.lists(st.one_of(_ONE, _SHARING, _SHARING, _LINKING, _PARTING), max_size=14)


def step(number: int, kind: str, names: tuple[str, ...]) -> Touchpoint:
    """A step as a touchpoint; all come with one id, as of a source that does not care."""
    named = tuple(dict.fromkeys(names))
    if kind == "identities.separated":
        return touchpoint(kind, after=number, names=named[:1], identifiers=list(named[1:]))
    return touchpoint(kind, after=number, names=named)


class Links:
    """Which accounts links have made one, by what stood before each of them."""

    def __init__(self) -> None:
        self.sets = {account: {account} for account in ACCOUNTS}

    def note(self, unit: Unit, names: tuple[str, ...]) -> None:
        roots = {unit.root_of_name(name) for name in names} - {None}
        meant = {account for account in ACCOUNTS if account in names or unit.root_of_name(account) in roots}
        together = set().union(*(self.sets[account] for account in meant))
        self.sets |= dict.fromkeys(together, together)


def assert_sound(unit: Unit, links: Links) -> None:
    assert not unit.pointers.keys() & unit.customers.keys()
    for one, other in combinations(ACCOUNTS, 2):
        root = unit.root_of_name(one)
        assert root is None or root != unit.root_of_name(other) or other in links.sets[one], (one, other)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_two_accounts_that_were_never_linked_are_never_one(steps: list[tuple[str, tuple[str, ...]]]) -> None:
    ledger, links = Ledger(), Links()
    for number, (kind, names) in enumerate(steps):
        if kind == "identities.linked":
            links.note(ledger.unit, names)
        try:
            ledger.see(step(number, kind, names))
        except RejectedError:
            continue
        assert_sound(ledger.unit, links)


def test_a_shared_name_that_is_declared_a_newcomers_is_theirs_whatever_becomes_of_those_who_shared_it() -> None:
    ledger = Ledger()
    ledger.see(step(0, "page.viewed", (ACCOUNTS[0], PHONE)), step(1, "page.viewed", (ACCOUNTS[2], PHONE)))
    ledger.see(step(2, "identities.linked", (ACCOUNTS[1], PHONE)), step(3, "identities.linked", (ACCOUNTS[0], ACCOUNTS[2])))
    ledger.see(step(4, "page.viewed", (ACCOUNTS[1],)), step(5, "page.viewed", (PHONE,)))
    first, newcomer, other = (ledger.unit.root_of_name(name) for name in ACCOUNTS[:3])
    assert first == other != newcomer == ledger.unit.root_of_name(PHONE)


@pytest.mark.parametrize("link", [(ACCOUNTS[0], PHONE), (ACCOUNTS[0], ACCOUNTS[1])])
def test_a_name_that_is_shared_again_merges_nobody(link: tuple[str, ...]) -> None:
    """Linked to one of those who shared it, or to both who turned out to be one, it was theirs alone in between."""
    ledger = Ledger()
    ledger.see(step(0, "page.viewed", (ACCOUNTS[0], PHONE)), step(1, "page.viewed", (ACCOUNTS[1], PHONE)))
    first = ledger.unit.root_of_name(PHONE)
    ledger.see(step(2, "identities.linked", link), step(3, "page.viewed", (ACCOUNTS[0], PHONE)))
    assert ledger.unit.root_of_name(PHONE) == ledger.unit.root_of_name(ACCOUNTS[0])
    ledger.see(step(4, "page.viewed", (ACCOUNTS[2], PHONE)), step(5, "page.viewed", (ACCOUNTS[0],)), step(6, "page.viewed", (PHONE,)))
    roots = [ledger.unit.root_of_name(name) for name in (ACCOUNTS[0], ACCOUNTS[2], PHONE)]
    assert len({*roots, first}) == 4


def test_who_was_absorbed_is_never_somebody_again() -> None:
    unit = Unit(0, 4, pointers={"a": "b"})
    with pytest.raises(RuntimeError, match="absorbed"):
        unit.customer("a")
