"""Money of shops in minor units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_ingest.admission import RefusedError
from nextwave_ingest.amounts import minor_units, with_amount


@pytest.mark.parametrize(
    ("value", "currency", "units"),
    [
        (12.99, "EUR", 1299),
        ("12.50", "USD", 1250),
        (1200, "JPY", 1200),
        (1.234, "KWD", 1234),
        (0.29, "EUR", 29),
        (-5, "EUR", -500),
        (1e3, "EUR", 100000),
    ],
)
def test_amounts_follow_the_exponent_of_their_currency(value: float | str, currency: str, units: int) -> None:
    assert minor_units(value, currency, "") == units


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_no_cent_is_lost_on_the_way(cents: int) -> None:
    assert minor_units(str(Decimal(cents) / 100), "EUR", "") == cents


@pytest.mark.parametrize("value", ["a lot", "", None, True, [], "NaN", "Infinity", 1e300, "1e999999999"])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(RefusedError):
        minor_units(value, "EUR", "/properties/revenue")


def test_revenue_goes_before_total_and_the_currency_is_written_in_capitals() -> None:
    assert with_amount({"total": 20, "revenue": 10, "currency": "usd"}, "EUR") == {
        "total": 20,
        "revenue": 10,
        "currency": "USD",
        "amount": 1000,
    }


def test_an_order_without_money_stays_as_it_is() -> None:
    data = {"order_id": "1"}
    assert with_amount(data, "EUR") is data
