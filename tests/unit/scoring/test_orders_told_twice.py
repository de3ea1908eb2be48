"""An order that is told twice, by a page that is loaded again or by the page and the shop, counts once; and is taken back once."""

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


def test_a_page_that_tells_no_money_leaves_it_to_the_shop_that_does() -> None:
    page, shop = touchpoint("order.placed", after=1, order_id="o-1"), order(1.0001)
    for events in permutations([page, shop, order(3, amount=0, currency="USD")]):
        assert (folded(list(events)).orders, folded(list(events)).last_order_at) == ({"EUR": [1, 1250, 0]}, micros(shop.occurred_at))
        assert merge(folded(list(events[:1])), folded(list(events[1:]))).converted == [1, 1250, 0, 0, 1250]


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


def back(after: float, amount: int = 1250, currency: str = "EUR", *, kind: str = "order.returned", name: object = "o-1") -> Touchpoint:
    return touchpoint(kind, after=after, amount=amount, currency=currency, order_id=name)


CANCELLED = back(2, kind="order.cancelled")
TAKEN_BACK = [
    ("cancelled and refunded", [order(1), CANCELLED, back(3)], {"EUR": [1, 1250, 1250]}, [1, 1250, 1250, 0, 1250]),
    ("refunded by page and shop", [order(1), back(2), back(2.001)], {"EUR": [1, 1250, 1250]}, [1, 1250, 1250, 0, 1250]),
    ("two parts", [order(1), back(2, 300), back(3, 450)], {"EUR": [1, 1250, 750]}, [1, 1250, 750, 0, 1250]),
    ("parts of more than it", [order(1), back(2, 900), back(3, 900)], {"EUR": [1, 1250, 1250]}, [1, 1250, 1250, 0, 1250]),
    ("told twice, refunded twice", [order(1), order(2), back(3), back(4)], {"EUR": [1, 1250, 1250]}, [1, 1250, 1250, 0, 1250]),
    ("its money was told late", [order(1, amount=0), order(2), back(3), back(4)], {"EUR": [1, 1250, 1250]}, [1, 1250, 1250, 0, 1250]),
    ("nobody told its money", [order(1, amount=0), back(2)], {"EUR": [1, 0, 0]}, [1, 0, 0, 0, 0]),
    ("nobody told its money or in what", [order(1, amount=0, currency=""), back(2)], {"XXX": [1, 0, 0]}, [1, 0, 0, 0, 0]),
    ("one that nobody told", [back(2), back(3)], {"EUR": [0, 0, 2500]}, [0, 0, 2500, 0, 0]),
    ("of another", [order(1), back(2, name="o-2")], {"EUR": [1, 1250, 1250]}, [1, 1250, 1250, 0, 1250]),
    ("without an id", [order(1), back(2, name=""), back(3, name="")], {"EUR": [1, 1250, 2500]}, [1, 1250, 2500, 0, 1250]),
    (
        "refunded in the buyer's currency",
        [order(1), CANCELLED, back(3, 1400, "USD")], {"EUR": [1, 1250, 1250], "USD": [0, 0, 1400]}, [1, 1250, 1250, 0, 1250],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "sums", "converted"), [case[1:] for case in TAKEN_BACK], ids=[case[0] for case in TAKEN_BACK])
def test_what_takes_an_order_back_counts_up_to_its_money_in_any_order(
    told: list[Touchpoint], sums: dict[str, list[int]], converted: list[int]
) -> None:
    for events in permutations(told):
        whole = folded(list(events))
        assert (whole.orders, whole.converted) == (sums, converted)
        for cut in range(1, len(events)):
            one, other = folded(list(events[:cut])), folded(list(events[cut:]))
            assert msgspec.to_builtins(merge(one, other)) == msgspec.to_builtins(merge(other, one))
            assert trade(merge(one, other)) == trade(whole)
            stored = msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Profile)
            assert trade(merge(stored, other)) == trade(whole)


def test_what_was_taken_back_of_many_orders_stays_small_and_in_the_sums() -> None:
    told: list[Touchpoint | Outcome] = [order(n, f"o-{n}") for n in range(3 * SALES_MAX)]
    whole = folded([*told, *(back(n, 100, name=f"o-{n}") for n in range(0, 3 * SALES_MAX, 2))])
    assert whole.orders == {"EUR": [3 * SALES_MAX, 3750 * SALES_MAX, 150 * SALES_MAX]}
    newer = folded([order(n, f"o-{n}") for n in range(3 * SALES_MAX, 4 * SALES_MAX)])
    assert len(whole.returned) == SALES_MAX
    assert merge(whole, newer).returned.keys().isdisjoint(whole.sales)
    unknown = folded([back(n, 100, f"A{chr(65 + n % 9)}A", name=f"o-{n // 9}") for n in range(9 * 40)])
    assert len(unknown.returned) == SALES_MAX
    assert len(msgspec.msgpack.encode(unknown.returned)) < 3_000


def test_a_profile_of_the_build_before_keeps_the_days_of_its_orders() -> None:
    days_before: list[Touchpoint | Outcome] = [touchpoint("order.placed", after=day, amount=100, currency="EUR") for day in (1, 2)]
    *fields, _, _, _, _ = msgspec.to_builtins(folded(days_before))
    stored = msgspec.convert(fields, Profile)
    whole = merge(stored, folded([order(9), order(7)]))
    assert trade(whole) == trade(folded([*days_before, order(7)]))


def test_what_the_build_before_took_back_stays_and_its_orders_are_known() -> None:
    *fields, _ = msgspec.to_builtins(folded([order(1), touchpoint("order.returned", after=2, amount=1250, currency="EUR")]))
    whole = merge(msgspec.convert(fields, Profile), folded([order(3), back(4), back(5)]))
    assert whole.orders == {"EUR": [1, 1250, 2500]}


def test_what_is_known_of_many_orders_stays_small() -> None:
    few, many = folded([]), folded([order(n, f"order {n}", margin=100_000, amount=900_000) for n in range(SALES_MAX)])
    assert len(msgspec.msgpack.encode(many.sales)) < 2_000
    assert len(msgspec.msgpack.encode(few)) < 250
    assert micros(START) < many.last_order_at
