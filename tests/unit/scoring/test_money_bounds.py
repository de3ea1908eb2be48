"""Sums of money stay where they fit, in any order, whatever a source claims to have sold."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.customer import Customer
from nextwave_scoring.profile import orders, outcomes, touch
from nextwave_scoring.profile.bounds import SUM_MAX
from nextwave_scoring.profile.merge import merge
from nextwave_scoring.profile.orders import AMOUNT_MAX
from nextwave_scoring.profile.record import CURRENCIES_MAX, Profile
from nextwave_scoring.rates import read_rates
from nextwave_scoring.store import _rows
from nextwave_scoring.unit import Unit

from .ledger import Ledger
from .making import folded, outcome, touchpoint

BIGINT_MAX = 2**63 - 1
GOLD = read_rates("currency,date,rate\nXAU,2026-01-01,3500\nBTC,2026-01-01,1e30", "EUR")
_AMOUNTS = st.integers(0, AMOUNT_MAX - 1)


def rich(*, times: int = 1) -> Profile:
    """Somebody who has brought, sent back and cost as much as sums can be."""
    profile = Profile(names=["customer_id:big"])
    for n in range(times):
        touch.take(profile, touchpoint("order.placed", after=n, amount=AMOUNT_MAX - 1, currency="BTC", margin=AMOUNT_MAX - 1), GOLD)
        touch.take(profile, touchpoint("order.placed", after=n, amount=AMOUNT_MAX - 1, currency="EUR"), GOLD)
        touch.take(profile, touchpoint("customer.registered", after=n, acquisition_cost=AMOUNT_MAX - 1), GOLD)
        outcomes.take(profile, msgspec.structs.replace(outcome("accepted", after=n), cost=AMOUNT_MAX - 1), GOLD)
    return profile


@pytest.mark.parametrize("currency", ["EUR", "XAU", "BTC"])
def test_an_order_is_worth_no_more_than_an_order_may_be(currency: str) -> None:
    profile = Profile()
    touch.take(profile, touchpoint("order.placed", amount=AMOUNT_MAX - 1, currency=currency, margin=1 - AMOUNT_MAX), GOLD)
    assert profile.converted[1] <= AMOUNT_MAX
    assert profile.converted[3] >= -AMOUNT_MAX
    assert folded([touchpoint("order.placed", amount=AMOUNT_MAX, currency=currency)]).orders == {currency: [1, 0, 0]}


def test_no_sum_grows_beyond_what_a_row_and_a_message_hold() -> None:
    profile = rich(times=2)
    for _ in range(14):
        profile = merge(profile, profile)
    assert profile.orders == {"BTC": [2**15, SUM_MAX, 0], "EUR": [2**15, SUM_MAX, 0]}
    assert profile.converted == [2**16, SUM_MAX, 0, SUM_MAX, SUM_MAX]
    assert (profile.acquisition_cost, profile.contact_costs) == (SUM_MAX, SUM_MAX)
    customer = Customer(profile)
    customer.standing = Ledger().fold.judge.judge(customer, profile.last_at).standing
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(customer), type=Customer) == customer
    unit = Unit(0, 4, customers={"c": customer}, changed={"c"})
    assert all(abs(value) <= BIGINT_MAX for (value,) in _rows(unit).values() if isinstance(value, int))


@given(st.lists(_AMOUNTS, max_size=40), st.integers(0, SUM_MAX), st.randoms())
def test_a_sum_that_is_full_is_the_same_in_any_order_and_grouping(amounts: list[int], before: int, chance: random.Random) -> None:
    def summed(parts: list[int], start: int) -> list[int]:
        sums = [start]
        for part in parts:
            sums = orders.summed(sums, [part])
        return sums

    shuffled = list(amounts)
    chance.shuffle(shuffled)
    cut = chance.randint(0, len(amounts))
    expected = [min(before + sum(amounts), SUM_MAX)]
    assert summed(amounts, before) == summed(shuffled, before) == expected
    assert orders.summed(summed(shuffled[:cut], before), summed(shuffled[cut:], 0)) == expected


@given(st.permutations(range(40)), st.integers(0, 39))
def test_only_some_currencies_are_kept_and_their_sums_are_whole_in_any_order(numbers: list[int], cut: int) -> None:
    def placed(those: list[int]) -> Profile:
        events: list[Touchpoint | Outcome] = [
            touchpoint("order.placed", after=n, amount=n, currency=f"X{chr(65 + n % 20)}{chr(65 + n % 20)}") for n in those
        ]
        return folded(events)

    whole = placed(list(range(40)))
    assert len(whole.orders) == CURRENCIES_MAX
    assert all(sums[0] == 2 for sums in whole.orders.values())
    assert placed(numbers).orders == merge(placed(numbers[:cut]), placed(numbers[cut:])).orders == whole.orders
