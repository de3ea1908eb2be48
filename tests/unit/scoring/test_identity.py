"""Which customer is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_scoring.identity import (
    CONTACTS_MAX,
    CONTACTS_NAMED_MAX,
    NAMES_MERGED_MAX,
    Known,
    Resolution,
    UnknownCustomerError,
    derive,
    resolve,
)

ANN, BOB, DEVICE, MAIL, PHONE = "customer_id:ann", "customer_id:bob", "anonymous_id:d1", "email:a@x.de", "phone:+49301234567"


class Book:
    """A book of customers kept by `resolve` alone."""

    def __init__(self) -> None:
        self.bound: dict[str, str] = {}
        self.into: dict[str, str] = {}

    def root(self, name: str) -> str | None:
        customer = self.bound.get(name)
        while customer in self.into:
            customer = self.into[customer]
        return customer

    def names(self, customer: str) -> Known:
        return Known([name for name in self.bound if self.root(name) == customer])

    def see(self, *names: str, linked: bool = False) -> Resolution:
        found = resolve(names, {n: self.root(n) for n in names}, self.names, linked=linked)
        self.bound.update(dict.fromkeys(found.bound, found.customer_id))
        self.into.update(dict.fromkeys(found.absorbed, found.customer_id))
        return found


def test_a_new_customer_has_the_id_of_the_strongest_identifier_wherever_it_is_met() -> None:
    assert Book().see(DEVICE, MAIL).customer_id == Book().see(MAIL, DEVICE).customer_id == derive(MAIL)


def test_a_known_identifier_brings_new_ones_to_its_customer() -> None:
    book = Book()
    first = book.see(DEVICE)
    assert book.see(DEVICE, MAIL).customer_id == first.customer_id
    assert book.see(MAIL).customer_id == first.customer_id


def test_two_customers_that_meet_in_one_touchpoint_become_one() -> None:
    book = Book()
    device, mail = book.see(DEVICE).customer_id, book.see(MAIL).customer_id
    assert book.see(DEVICE, MAIL) == Resolution(mail, (device,), ())
    assert book.root(DEVICE) == mail


@given(st.permutations([ANN, MAIL, DEVICE]))
def test_the_survivor_does_not_depend_on_who_is_named_first(order: list[str]) -> None:
    book = Book()
    for name in order:
        book.see(name)
    assert book.see(*order).customer_id == derive(ANN)


def test_a_shared_device_does_not_merge_two_customer_ids() -> None:
    book = Book()
    ann, bob = book.see(ANN, DEVICE).customer_id, book.see(BOB).customer_id
    assert book.see(BOB, DEVICE) == Resolution(bob, (), (), (DEVICE,))
    assert book.root(DEVICE) == ann


def test_a_new_customer_id_on_a_known_device_is_a_new_customer() -> None:
    book = Book()
    ann = book.see(ANN, DEVICE, PHONE).customer_id
    found = book.see(BOB, DEVICE, PHONE)
    assert found == Resolution(derive(BOB), (), (BOB,), (PHONE, DEVICE))
    assert book.root(PHONE) == ann


def test_two_weak_identifiers_of_different_customer_ids_mean_the_stronger_one() -> None:
    book = Book()
    ann, bob = book.see(ANN, PHONE).customer_id, book.see(BOB, DEVICE).customer_id
    assert book.see(DEVICE, PHONE) == Resolution(ann, (), (), (DEVICE,))
    assert book.root(DEVICE) == bob


def test_a_declared_link_merges_two_customer_ids() -> None:
    book = Book()
    ann, bob = book.see(ANN).customer_id, book.see(BOB).customer_id
    assert book.see(ANN, BOB, linked=True) == Resolution(ann, (bob,), ())


def test_a_second_new_customer_id_beside_another_is_not_bound_to_it() -> None:
    book = Book()
    assert book.see(ANN, BOB).bound == (ANN,)
    assert book.root(BOB) is None


def test_our_own_id_means_that_customer_and_is_never_bound() -> None:
    own = "external:nextwave:0198"
    assert resolve([own, DEVICE], {own: "0198", DEVICE: None}, lambda _: Known([MAIL])) == Resolution("0198", (), (DEVICE,))
    with pytest.raises(UnknownCustomerError):
        resolve([own], {own: None}, lambda _: Known([]))


def test_who_an_operator_keeps_apart_is_not_merged_unless_linked() -> None:
    known = {"x": Known([MAIL, DEVICE], apart=[PHONE]), "y": Known([PHONE])}
    roots = {DEVICE: "x", PHONE: "y"}
    assert resolve([DEVICE, PHONE], roots, known.__getitem__) == Resolution("y", (), (), (DEVICE,))
    assert resolve([DEVICE, PHONE], roots, known.__getitem__, linked=True).absorbed == ("y",)


def mails(count: int) -> list[str]:
    return [f"email:m{n:03}@x.de" for n in range(count)]


def test_a_public_computer_pulls_together_a_few_and_is_shared_by_all_who_come_after() -> None:
    book = Book()
    found = [book.see(DEVICE, mail) for mail in mails(100)]
    first = found[0].customer_id
    assert [f.customer_id == first for f in found] == [n < CONTACTS_MAX for n in range(100)]
    assert {f.shared for f in found[CONTACTS_MAX:]} == {(DEVICE,)}


def test_a_chain_of_devices_and_addresses_does_not_grow_without_end() -> None:
    book = Book()
    for n, mail in enumerate(mails(200)):
        book.see(mail, f"anonymous_id:{n}")
        book.see(mail, f"anonymous_id:{n + 1}")
    sizes = {customer: len(book.names(customer).names) for customer in map(book.root, book.bound) if customer}
    assert max(sizes.values()) <= 2 * CONTACTS_MAX + 2
    assert len(sizes) > 10


def test_an_account_that_everybody_uses_does_not_take_everybody_in() -> None:
    book = Book()
    people = [book.see(mail).customer_id for mail in mails(100)]
    account = [book.see("customer_id:walk-in", mail).customer_id for mail in mails(100)]
    assert len(set(account)) == 1
    assert len({book.root(mail) for mail in mails(100)}) == 100 - CONTACTS_NAMED_MAX + 1
    assert book.root(mails(100)[-1]) == people[-1]


def test_a_person_without_an_account_may_have_many_devices() -> None:
    book = Book()
    assert len({book.see(MAIL, f"anonymous_id:{n}").customer_id for n in range(40)}) == 1


def test_a_person_without_an_account_has_a_bounded_number_of_names() -> None:
    book = Book()
    mine = book.see(MAIL, "anonymous_id:0").customer_id
    others = [book.see(f"anonymous_id:{n}").customer_id for n in range(1, 60)]
    for n in range(1, 60):
        book.see(MAIL, f"anonymous_id:{n}")
    assert len(book.names(mine).names) == NAMES_MERGED_MAX
    assert book.root("anonymous_id:59") == others[-1]


def test_all_names_of_a_smaller_customer_who_does_not_fit_in_stay_its_own_alone() -> None:
    book = Book()
    book.see(DEVICE, *mails(CONTACTS_MAX))
    other = book.see("email:z@x.de", "anonymous_id:z").customer_id
    assert book.see(mails(1)[0], "email:z@x.de", "anonymous_id:z").shared == ()
    assert book.root("anonymous_id:z") == book.root("email:z@x.de") == other


_NAMES = st.sampled_from([ANN, BOB, MAIL, PHONE, DEVICE, "anonymous_id:d2", "email:b@x.de"])


@given(st.lists(st.lists(_NAMES, min_size=1, max_size=4, unique=True), max_size=12))
def test_different_customer_ids_are_never_one_customer_without_a_link(seen: list[list[str]]) -> None:
    book = Book()
    for names in seen:
        book.see(*names)
    if book.root(ANN) is not None:
        assert book.root(ANN) != book.root(BOB)
