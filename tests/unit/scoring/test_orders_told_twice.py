"""An order that is told twice, by a page that is loaded again or by the page and the shop, counts once."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.instants import micros
from nextwave_scoring.profile import view
from nextwave_scoring.profile.merge import merge
from nextwave_scoring.profile.record import SALES_MAX, Profile

from .making import START, folded, touchpoint


def order(after: float, name: object = "o-1", **data: Any) -> Touchpoint:
    told: dict[str, Any] = {"amount": 1250, "currency": "EUR", "order_id": name} | data
    return touchpoint("order.placed", after=after, **told)


def trade(profile: Profile) -> tuple[object, ...]:
    return (
        profile.orders, profile.converted, profile.unconverted, profile.purchases, profile.first_order_at, profile.last_order_at,
    )  # fmt: skip


TWICE = [
    [order(1), order(1.0001)],
    [order(1), order(9)],
    [order(1), order(9, amount=1400, currency="USD", margin=100)],
    [order(1, currency="KWD"), order(3)],
    [order(1), order(3, currency="KWD"), order(2, margin=7)],
    [order(1, 1001), order(2, "1001")],
    [order(1), order(2, " o-1 ")],
]


@pytest.mark.parametrize("told", TWICE)
def test_it_counts_once_as_of_the_earliest_in_any_order_and_by_whomever(told: list[Touchpoint]) -> None:
    others = [touchpoint("order.placed", after=5, amount=700, currency="USD"), order(6, "o-2")]
    once = trade(folded([told[0], *others]))
    for events in permutations([*told, *others]):
        assert trade(folded(list(events))) == once
        for cut in range(1, len(events)):
            assert trade(merge(folded(list(events[:cut])), folded(list(events[cut:])))) == once


def test_an_order_told_three_times_is_one_order_of_its_money() -> None:
    told = view.orders(folded([order(1), order(1.001), order(4)]), "EUR")
    assert (told.count, told.revenue, told.interval_days) == (1, 1250, None)
    assert told.last_at is not None
    assert micros(told.last_at) == micros(order(1).occurred_at)


@pytest.mark.parametrize("name", [None, "", "  ", True, 1.5, ["o-1"]])
def test_orders_without_an_id_are_orders_each(name: object) -> None:
    assert folded([order(1, name), order(2, name)]).orders == {"EUR": [2, 2500, 0]}


def test_orders_of_other_names_are_other_orders() -> None:
    assert folded([order(1, "o-1"), order(1, "o-2"), order(1, "O-1")]).orders == {"EUR": [3, 3750, 0]}


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.booleans()), min_size=SALES_MAX, max_size=3 * SALES_MAX), st.randoms())
def test_many_orders_are_kept_to_the_newest_and_all_of_them_count(days: list[tuple[int, bool]], chance: Any) -> None:
    events: list[Touchpoint | Outcome] = [order(day, f"o-{n}" if named else None) for n, (day, named) in enumerate(days)]
    whole = folded(events)
    assert whole.orders == {"EUR": [len(days), 1250 * len(days), 0]}
    assert len(whole.sales) == min(sum(named for _, named in days), SALES_MAX)
    chance.shuffle(events)
    assert msgspec.to_builtins(folded(events)) == msgspec.to_builtins(whole)
    half = len(events) // 2
    assert trade(merge(folded(events[:half]), folded(events[half:]))) == trade(whole)


def test_the_newest_orders_are_known_and_an_older_one_that_is_told_again_counts_again() -> None:
    events: list[Touchpoint | Outcome] = [order(n, f"o-{n}") for n in range(SALES_MAX + 1)]
    assert folded([*events, *events[1:]]).orders["EUR"][0] == len(events)
    assert folded([*events, events[0]]).orders["EUR"][0] == len(events) + 1


def test_a_profile_of_the_build_before_keeps_the_days_of_its_orders() -> None:
    days_before: list[Touchpoint | Outcome] = [touchpoint("order.placed", after=day, amount=100, currency="EUR") for day in (1, 2)]
    *fields, _, _, _ = msgspec.to_builtins(folded(days_before))
    stored = msgspec.convert(fields, Profile)
    whole = merge(stored, folded([order(9), order(7)]))
    assert trade(whole) == trade(folded([*days_before, order(7)]))


def test_what_is_known_of_many_orders_stays_small() -> None:
    few, many = folded([]), folded([order(n, f"order {n}", margin=100_000, amount=900_000) for n in range(SALES_MAX)])
    assert len(msgspec.msgpack.encode(many.sales)) < 2_000
    assert len(msgspec.msgpack.encode(few)) < 250
    assert micros(START) < many.last_order_at
