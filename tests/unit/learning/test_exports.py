"""What an export says is read as the service would have been told it; what cannot be read is named by line and field, with the fix."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.money import EXPONENTS
from nextwave_local.learning.exports import Asked, read_export
from nextwave_local.learning.history import InputError, profiles
from nextwave_scoring.profile.orders import AMOUNT_MAX

ASKED = Asked({}, "", datetime(2026, 11, 27, tzinfo=UTC))
HEAD = "customer,occurred_at,type,amount,currency\n"


def read(text: str, name: str = "orders.csv") -> list[dict[str, Any]]:
    """What each touchpoint of the one customer says."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text)
        return [touchpoint.data for one in read_export(file, ASKED, lambda _: None) for touchpoint in one.touchpoints]


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
    (profile,) = profiles(read_export(file, ASKED, lambda _: None)[0], [10**18])
    assert profile is not None
    assert profile.converted == [1, 10_000, 0, 2550, 0]
    assert "rated" in profile.counts


def warned(folder: Path, rows: str) -> list[str]:
    """What is told of an export of orders."""
    told: list[str] = []
    (file := folder / "orders.csv").write_text(HEAD + rows)
    read_export(file, ASKED, told.append)
    return told


def test_a_date_that_has_not_come_is_refused_by_its_line() -> None:
    assert read("customer,occurred_at,type\n7,2026-11-27T22:00:00,page.viewed\n") == [{}]
    with pytest.raises(InputError, match="line 3: occurred_at 2099-01-01 has not come yet"):
        read("customer,occurred_at,type\n7,2026-01-01,page.viewed\n7,2099-01-01,page.viewed\n")


def test_an_empty_date_is_not_called_a_missing_column() -> None:
    with pytest.raises(InputError, match="line 2: occurred_at is empty; fill it in"):
        read("customer,occurred_at,type\n7,,page.viewed\n")


def test_a_name_for_a_column_that_no_row_has_is_refused(tmp_path: Path) -> None:
    (file := tmp_path / "orders.csv").write_text("client,occurred_at,type\n7,2026-01-01,page.viewed\n")
    with pytest.raises(InputError, match=r"--columns amount=price: there is no price \(there are client, occurred_at, type\)"):
        read_export(file, Asked({"customer": "client", "amount": "price"}, "", ASKED.now), lambda _: None)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_in_another_encoding_is_named_with_the_fix(tmp_path: Path, encoding: str) -> None:
    (file := tmp_path / "orders.csv").write_bytes("customer,occurred_at,type,city\n7,2026-01-01,page.viewed,Köln\n".encode(encoding))
    with pytest.raises(InputError, match=r"it is not UTF-8 .*; save it as 'CSV UTF-8'"):
        read_export(file, ASKED, lambda _: None)


def test_what_was_read_is_told_in_one_line(tmp_path: Path) -> None:
    rows = "7,2026-01-01,order.placed,1000,EUR\n7,2026-01-01,order.placed,1000,EUR\n8,2026-03-01,page.viewed,,\n"
    assert warned(tmp_path, rows) == [
        "3 rows: 2 touchpoints of 2 customers, 2026-01-01 to 2026-03-01; 1 repeated; 1 order.placed, 1 page.viewed"
    ]


def test_types_without_a_meaning_and_orders_without_their_money_are_told(tmp_path: Path) -> None:
    rows = "7,2026-01-01,order_placed,1000,EUR\n"
    rows += "".join(
        f"{n},2026-01-0{n},order.placed,{money}\n" for n, money in enumerate((",", "5,XYZ", "5,", "-5,EUR", "5,EUR", "0,eur"), 1)
    )
    _, types, orders, currencies = warned(tmp_path, rows)
    assert types.endswith("1 order_placed; did you mean order.placed?")
    negative = "1 with a negative amount (what is given back is order.returned)"
    told = f"1 without an amount, 1 without a currency (three letters, ISO 4217), {negative}"
    assert orders == f"warning: of 6 orders some count without their money: {told}"
    assert currencies.endswith(": 2 EUR, 1 XYZ")


def test_a_date_long_before_all_others_is_told(tmp_path: Path) -> None:
    rows = "".join(f"7,2026-01-{1 + n % 28:02},page.viewed,{n},\n" for n in range(400))
    assert len(warned(tmp_path, rows)) == 1
    assert (
        "nearly everything happened from 2026-01-01 to 2026-01-28; is a date wrong?"
        in warned(tmp_path, rows + "7,1970-01-01,page.viewed,,\n")[1]
    )
