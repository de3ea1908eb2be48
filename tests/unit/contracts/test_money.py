"""Sums as people read them."""

from __future__ import annotations

import pytest
from nextwave_contracts.money import in_words


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (12_000, "EUR", "120.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (12_000, "JPY", "12000 JPY"),
        (-1_500, "KWD", "-1.500 KWD"),
        (0, "EUR", "0.00 EUR"),
    ],
)
def test_minor_units_are_written_with_the_decimals_of_their_currency(amount: int, currency: str, written: str) -> None:
    assert in_words(amount, currency) == written
