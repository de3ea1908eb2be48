"""Rates by date: what money was worth in the house currency on its day, exactly, and what cannot be used is said."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.money import EXPONENTS
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.rates import Rates, UnreadableRatesError, read_rates

from .making import START, folded, outcome, touchpoint

TABLE = "currency,date,rate\nUSD,2026-01-05,0.9\nUSD,2026-01-07,0.5\nJPY,2026-01-01,0.006\nKWD,2026-01-01,3\n"
MONDAY = micros(START)


def test_the_latest_rate_at_or_before_the_day_counts() -> None:
    rates = read_rates(TABLE, "EUR")
    days = (-1, 0, 1, 2, 400)
    assert [rates.convert(1000, "USD", MONDAY + day * DAY) for day in days] == [None, 900, 900, 500, 500]


def test_minor_units_of_every_currency_are_told_apart() -> None:
    rates = read_rates(TABLE, "EUR")
    assert rates.convert(1000, "JPY", MONDAY) == 600  # 1000 yen are 6.00 euros
    assert rates.convert(1000, "KWD", MONDAY) == 300  # 1.000 dinar is 3.00 euros
    assert read_rates("currency,date,rate\nEUR,2026-01-01,160", "JPY").convert(250, "EUR", MONDAY) == 400


@pytest.mark.parametrize(("amount", "expected"), [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2), (-5, -2)])
def test_halves_are_rounded_to_even(amount: int, expected: int) -> None:
    assert read_rates("currency,date,rate\nUSD,2026-01-01,0.5", "EUR").convert(amount, "USD", MONDAY) == expected


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**9), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_a_converted_amount_is_the_exact_one_rounded_to_even(amount: int, millionths: int, currency: str) -> None:
    rate = Fraction(millionths, 10**6)
    rates = read_rates(f"currency,date,rate\n{currency},2026-01-01,{millionths / 10**6:.6f}", "EUR")
    assert rates.convert(amount, currency, MONDAY) == round(amount * rate * Fraction(10**2, 10 ** EXPONENTS.get(currency, 2)))


def test_a_json_list_is_the_same_table() -> None:
    written = '[{"currency": "usd", "date": "2026-01-07", "rate": 0.5}, {"currency": "USD", "date": "2026-01-05", "rate": "0.9"}]'
    assert read_rates(written, "EUR") == read_rates("date,rate,currency\n2026-01-05,0.9,USD\n2026-01-07,0.50,USD\n", "EUR")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("date,rate\n", "no column currency"),
        ("currency,date,rate\nUS,2026-01-01,1", "rate 2: currency"),
        ("currency,date,rate\nUSD,2026-01-01,1\nUSD,1.1.2026,1", "rate 3: date"),
        ('currency,date,rate\nUSD,2026-01-01,"0,9"', "rate 2: rate must be a number"),
        ("currency,date,rate\nUSD,2026-01-01,-1", "rate 2: rate must be above 0"),
        ("currency,date,rate\nUSD,2026-01-01,NaN", "rate 2: rate must be above 0"),
        ("currency,date,rate\nUSD,2026-01-01", "rate 2: rate must be a number"),
        ("[1]", "list of objects"),
        ("[{", "no JSON"),
    ],
)
def test_what_cannot_be_used_names_the_line_and_the_field(text: str, told: str) -> None:
    with pytest.raises(UnreadableRatesError, match=told):
        read_rates(text, "EUR")


def test_orders_are_summed_in_the_house_currency_and_what_has_no_rate_is_counted_only() -> None:
    orders: list[Touchpoint | Outcome] = [
        touchpoint("order.placed", after=1, amount=1000, currency="USD", margin=-10),
        touchpoint("order.placed", after=200, amount=1000, currency="USD"),
        touchpoint("order.placed", after=3, amount=500, currency="EUR", margin=200),
        touchpoint("order.placed", after=4, amount=5000, currency="KWD"),
        touchpoint("order.placed", after=5, currency="KWD"),
        touchpoint("order.returned", after=6, amount=100, currency="EUR"),
    ]
    profile = folded(orders)
    assert profile.orders == {"USD": [2, 2000, 0], "EUR": [1, 500, 100], "KWD": [2, 5000, 0]}
    assert profile.converted == [4, 900 + 800 + 500, 100, -9 + 200, 800]
    assert profile.unconverted == 1


def test_what_was_spent_on_a_customer_is_summed_in_the_house_currency() -> None:
    spent: list[Touchpoint | Outcome] = [
        touchpoint("customer.registered", acquisition_cost=1000, currency="USD"),
        touchpoint("customer.registered", after=1, acquisition_cost=50),
        touchpoint("customer.registered", after=2, acquisition_cost=-50),
    ]
    sent = outcome("accepted")
    profile = folded([*spent, Outcome(**{name: getattr(sent, name) for name in sent.__struct_fields__} | {"cost": 7})])
    assert (profile.acquisition_cost, profile.contact_costs) == (950, 7)
    assert "acquisition_cost" not in profile.traits


def test_without_a_table_only_the_house_currency_is_known() -> None:
    assert [Rates("USD").convert(5, currency, 0) for currency in ("USD", "EUR")] == [5, None]
