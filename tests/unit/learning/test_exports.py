"""What an export says is read as the service would have been told it; what cannot be read is named by line and field, with the fix."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.money import EXPONENTS
from nextwave_local.learning.exports import read_export
from nextwave_local.learning.history import InputError, profiles
from nextwave_scoring.profile.orders import AMOUNT_MAX


def read(text: str, name: str = "orders.csv") -> list[dict[str, Any]]:
    """What each touchpoint of the one customer says."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text)
        return [touchpoint.data for one in read_export(file, {}) for touchpoint in one.touchpoints]


def told(**fields: object) -> dict[str, Any]:
    """What an order with these columns says."""
    names, values = ",".join(fields), ",".join(str(value) for value in fields.values())
    return read(f"customer,occurred_at,type,{names}\n7,2026-01-31,order.placed,{values}\n")[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", 5), ("42", 42), ("-120", -120), ("4.5", 4.5), ("0.25", 0.25), ("29.90", 29.9), ("true", True), ("false", False),
        ("01067", "01067"), ("+4930", "+4930"), ("1e3", "1e3"), ("1234567890123456", "1234567890123456"), ("NaN", "NaN"), ("٤٢", "٤٢"),
    ],
)  # fmt: skip
def test_a_plain_number_is_a_number_and_a_code_stays_a_text(written: str, meant: object) -> None:
    (found,) = told(value=written).values()
    assert (found, type(found)) == (meant, type(meant))


def test_what_names_a_matter_is_no_number() -> None:
    assert told(reference="1.10", contract_id="4711") == {"reference": "1.10", "contract_id": "4711"}


def test_what_json_says_stands_as_it_is() -> None:
    line = '{"customer": 7, "occurred_at": "2026-01-31", "type": "order.placed", "data": {"size": "42", "rating": 4.5, "amount": 19.99}}'
    assert read(line, "orders.jsonl") == [{"size": "42", "rating": 4.5, "amount": 1999}]


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("1500.00", "JPY", 1500), ("1500", "JPY", 1500), ("1.5", "KWD", 1500), ("1.5", "CLF", 15_000), ("19.99", "EUR", 1999),
        ("19.99", "", 1999), ("1999", "EUR", 1999), ("19.99", "eur", 1999), ("1500.4", "jpy", 1500),
    ],
)  # fmt: skip
def test_money_has_the_decimals_of_its_currency(amount: str, currency: str, units: int) -> None:
    assert told(amount=amount, margin=f"-{amount}", currency=currency)["amount"] == units
    assert told(amount=amount, margin=f"-{amount}", currency=currency)["margin"] == -units


@given(units=st.integers(1 - AMOUNT_MAX, AMOUNT_MAX - 1), currency=st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF"]))
def test_money_as_people_write_it_and_minor_units_say_the_same(units: int, currency: str) -> None:
    written = f"{Decimal(units).scaleb(-EXPONENTS.get(currency, 2)):f}"
    for amount in (str(units), written if "." in written else f"{written}.0"):
        assert told(amount=amount, currency=currency)["amount"] == units


@pytest.mark.parametrize("field", ["amount", "margin", "acquisition_cost"])
@pytest.mark.parametrize("amount", ["Infinity", "-inf", "NaN", "sNaN", "12 Euro", "1,5"])
def test_money_that_is_no_number_is_named_by_line_and_field(amount: str, field: str) -> None:
    with pytest.raises(InputError, match=rf"line 2: {field} '{amount}' is no number; write minor units"):
        told(**{field: f'"{amount}"'})


@pytest.mark.parametrize("amount", ["1e400", "1e999999999", "-1.0e30", str(AMOUNT_MAX), "11258999068426.24"])
def test_money_that_no_profile_counts_is_named_by_line_and_field(amount: str) -> None:
    with pytest.raises(InputError, match=r"line 2: amount .* minor units of EUR or more.*--columns amount=NAME"):
        told(amount=amount, currency="EUR")


def test_an_instant_beyond_the_calendar_is_named_by_line_and_field() -> None:
    with pytest.raises(InputError, match=r"line 2: occurred_at .* is no instant"):
        read("customer,occurred_at,type\n7,9999-12-31T23:59:59-12:00,page.viewed\n")


def test_stated_margins_and_ratings_of_an_export_are_learned_from(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    orders = "7,2026-01-01,order.placed,100.00,25.50,EUR,\n7,2026-01-02,satisfaction.rated,,,,4.5\n"
    file.write_text(f"customer,occurred_at,type,amount,margin,currency,rating\n{orders}")
    (profile,) = profiles(read_export(file, {})[0], [10**18])
    assert profile is not None
    assert profile.converted == [1, 10_000, 0, 2550, 0]
    assert "rated" in profile.counts
