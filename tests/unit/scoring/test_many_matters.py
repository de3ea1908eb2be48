"""More complaints and service requests than are kept: the same in any order, what is closed never holds, and little is stored."""

from __future__ import annotations

import random
import time

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.customer import Customer
from nextwave_scoring.profile import matters, touch, words
from nextwave_scoring.profile.matters import COMPLAINT, SERVICE
from nextwave_scoring.profile.merge import merge
from nextwave_scoring.profile.record import MATTERS_MAX, SPEAKERS_MAX, Matter, Profile, Words

from .making import folded, touchpoint

Told = tuple[bool, str, str, int]
"""Whether it is an opening, its kind, its reference, its instant."""
_bytes = msgspec.msgpack.Encoder(order="deterministic").encode
_REFERENCES = st.integers(0, 39).map(lambda n: f"t{n}" if n else "")
TOLD = st.lists(
    st.tuples(st.booleans(), st.sampled_from([COMPLAINT, SERVICE]), _REFERENCES, st.integers(-2, 120)), min_size=40, max_size=160
)


def known(told: list[Told]) -> matters.Matters:
    found: matters.Matters = {}
    for is_opening, kind, reference, at in told:
        (matters.opened if is_opening else matters.closed)(found, kind, reference, at)
    return found


def complaint(number: float, *, at: float, kind: str = "opened", names: tuple[str, ...] = ("email:ann@example.com",)) -> Touchpoint:
    return touchpoint(f"complaint.{kind}", after=at, names=names, reference=f"t{number}")


@given(TOLD, st.randoms())
def test_matters_beyond_the_bound_are_the_same_in_any_order_and_grouping(told: list[Told], chance: random.Random) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    cut = chance.randrange(len(told))
    assert known(told) == known(shuffled) == matters.merge(known(shuffled[:cut]), known(shuffled[cut:]))


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 400)), min_size=60, max_size=60, unique_by=lambda m: m[0]), st.randoms())
def test_what_was_closed_does_not_hold_however_much_there_was_and_in_whatever_order(
    lasted: list[tuple[int, int]], chance: random.Random
) -> None:
    told = [(True, COMPLAINT, f"t{n}", at) for n, (at, _) in enumerate(lasted)]
    told += [(False, COMPLAINT, f"t{n}", at + days) for n, (at, days) in enumerate(lasted)]
    chance.shuffle(told)
    assert matters.count_open(known(told), COMPLAINT) == 0


@given(st.lists(st.integers(1, 200), max_size=60), st.lists(st.integers(1, 200), max_size=MATTERS_MAX), st.integers(1, 200), st.randoms())
def test_what_is_open_holds_while_no_more_than_the_kept_others_are_closed(
    openings: list[int], closings: list[int], at: int, chance: random.Random
) -> None:
    told = [(True, COMPLAINT, f"o{n}", opened) for n, opened in enumerate(openings)]
    told += [(False, COMPLAINT, f"c{n}", closed) for n, closed in enumerate(closings)]
    told.append((True, COMPLAINT, "mine", at))
    chance.shuffle(told)
    assert matters.holds(known(told))
    assert min(len(openings), MATTERS_MAX) <= matters.count_open(known(told), COMPLAINT) <= MATTERS_MAX + 1


@settings(max_examples=30, deadline=None)
@given(st.randoms(), st.integers(60, 80))
def test_a_profile_with_many_matters_is_the_same_in_any_order(chance: random.Random, count: int) -> None:
    events = [complaint(n, at=n) for n in range(count)]
    events += [complaint(n, at=n + chance.randrange(1, 9), kind="resolved") for n in range(count)]
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert _bytes(folded([*events])) == _bytes(folded([*shuffled]))
    assert not matters.holds(folded([*shuffled]).matters)


def test_what_is_open_beyond_the_bound_holds_as_one_until_everything_is_closed() -> None:
    profile = folded([complaint(n, at=n) for n in range(3 * MATTERS_MAX)])
    assert matters.holds(profile.matters)[0].reference == "*"
    for n in range(2 * MATTERS_MAX, 3 * MATTERS_MAX):
        touch.take(profile, complaint(n, at=200, kind="resolved"))
    assert [hold.reference for hold in matters.holds(profile.matters)] == ["*"]
    touch.take(profile, touchpoint("complaint.resolved", after=201))
    assert not matters.holds(profile.matters)


def test_thousands_of_open_matters_cost_a_few_kilobytes_and_no_time() -> None:
    profile, started = Profile(), time.process_time()
    for n in range(2_000):
        touch.take(profile, touchpoint("complaint.opened", after=n / 99, names=("anonymous_id:d",), reference=f"{n:064}"))
        touch.take(profile, touchpoint("complaint.resolved", after=n / 99, names=("anonymous_id:d",), reference=f"{n + 9_000:064}"))
    assert len(_bytes(profile)) < 8_000
    assert len(matters.holds(profile.matters)) <= MATTERS_MAX + 1
    assert time.process_time() - started < 8, "quadratic work takes minutes"


def test_many_names_that_said_much_are_bounded_together() -> None:
    names = [f"email:{n:03}@example.com" for n in range(60)]
    told = {f"{kind}{n:064}": Matter(n + 1, n % 2 * (n + 2)) for n in range(99) for kind in (COMPLAINT, SERVICE)}
    profile = Profile(names=names, words={name: Words(matters=matters.merge(told, {})) for name in names})
    words.settle(profile)
    assert sum(len(said.matters) > 10 for said in profile.words.values()) == SPEAKERS_MAX
    assert len(profile.matters) <= 4 * MATTERS_MAX + 2
    assert len(_bytes(profile)) < 100_000
    assert len(matters.holds(profile.matters)) <= MATTERS_MAX + 1


def test_one_closing_by_many_names_at_once_closes_its_own_matter_only() -> None:
    names = tuple(f"email:{n}@example.com" for n in range(SPEAKERS_MAX + 4))
    profile = folded([complaint(1, at=1, names=names), complaint(2, at=2, names=names), complaint(2, at=3, kind="resolved", names=names)])
    assert [hold.reference for hold in matters.holds(profile.matters)] == ["t1"]


def test_names_that_said_much_are_merged_to_the_same_in_any_grouping() -> None:
    def of(name: str, first: int) -> Profile:
        return folded([complaint(n, at=n, names=(name,), kind=("opened", "resolved")[n % 2]) for n in range(first, first + 40)])

    parts = [of(f"email:{n}@example.com", n * 3) for n in range(SPEAKERS_MAX + 3)]
    left, right = parts[0], parts[-1]
    for part in parts[1:]:
        left = merge(left, part)
    for part in reversed(parts[:-1]):
        right = merge(part, right)
    assert _bytes(left) == _bytes(right)


def test_what_a_build_stored_that_kept_all_that_was_open_is_bounded_when_it_is_read() -> None:
    count = 5_000
    told = {f"{COMPLAINT}t{n:04}": Matter(n + 1, 0) for n in range(count)}
    customer = Customer(Profile(names=["anonymous_id:d"]))
    customer.profile.matters, customer.profile.words = told, {"anonymous_id:d": Words(matters=told)}
    stored = msgspec.msgpack.encode(customer)
    assert len(stored) > 50_000
    profile = msgspec.msgpack.decode(stored, type=Customer).profile
    assert len(_bytes(profile)) < 8_000
    assert [hold.reference for hold in matters.holds(profile.matters)] == ["*", *(f"t{n}" for n in range(count - MATTERS_MAX, count))]
