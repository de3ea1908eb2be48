"""Who needs no addresses sees none: by key however it is written, and by what looks like an address whatever its key."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.masking import MASK, mask_data, mask_names

KEYS = [
    "email",
    "Email",
    "emailAddress",
    "e-mail",
    "E_MAIL_ADDRESS",
    "phoneNumber",
    "Phone",
    "phone number",
    "mobilePhone",
    "fax",
    "name",
    "$name",
    "fullName",
    "full_name",
    "family_name",
    "GivenName",
    "surname",
    "username",
    "address",
    "address_line1",
    "billingAddress",
    "street",
    "postal_code",
    "zip",
    "date_of_birth",
    "birthday",
    "iban",
    "IBAN",
    "contact",
    "ip",
    "ip_address",
    "serial_number",
    "passportNo",
    "body",
    "text",
    "message",
    "note",
    "promise",
]
ADDRESSES = [
    "ann@example.com",
    "Ann <ann@example.com>",
    "write to ann@example.co.uk, please",
    "+49 151 2345678",
    "+4915123456",
    "0049 (0)30 123456",
    "0151 2345678",
    "(030) 123456",
    "415-555-0100",
    "(415) 555-0100",
    "call +1 415 555 0100 now",
    "mailto:ann@example.com",
]
PLAIN = [
    "gold",
    "2026-01-31",
    "2026-01-31T08:00:00Z",
    "2026-01-31T08:00:00+01:00",
    "1500.00",
    "T-10001",
    "12345678",
    "sku 4711-22",
    "1.234.567,00",
    "+12",
    "@home",
    "192-9000-1",
    "0",
    "0.5",
    "has another offer",
    "00000000-0000-0000-0000-000000000000",
    "3fa85f64-5717-4562-b3fc-2c963f66afa6",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_personal_key_is_masked_however_it_is_written(key: str) -> None:
    assert list(mask_data({key: "x"}).values()) == [MASK]
    assert mask_data({"a": [{key: {"b": 1}}]})["a"] == [{key: MASK}]


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_looks_like_an_address_is_masked_whatever_it_is_called(address: str) -> None:
    assert mask_data({"favourite": address, "list": [address], "deep": {"x": address}, address: 1}) == {
        "favourite": MASK, "list": [MASK], "deep": {"x": MASK}, MASK: 1,
    }  # fmt: skip


@pytest.mark.parametrize("value", [*PLAIN, 12345678, 4.5, True, None])
def test_what_is_no_address_stays_readable(value: Any) -> None:
    data = {"plan": value, "product_name": value, "reference": [value], "order_id": value}
    assert mask_data(data) == data


def test_yes_and_no_stay_readable() -> None:
    assert mask_data({"email_verified": True, "sms_opt_in": False}) == {"email_verified": True, "sms_opt_in": False}


def test_an_address_used_as_an_id_is_masked_with_its_kind_left() -> None:
    names = (
        "customer_id:ann@example.com",
        "external:crm:+49 151 234567",
        "customer_id:42",
        "email:a@b.c",
        "anonymous_id:3fa85f64-5717",
        "phone:+1",
    )
    assert mask_names(names) == (
        f"customer_id:{MASK}",
        f"external:{MASK}",
        "customer_id:42",
        f"email:{MASK}",
        "anonymous_id:3fa85f64-5717",
        f"phone:{MASK}",
    )


@pytest.mark.parametrize("part", ["a", "@", "a@", "+1 ", "0", "00", "1-", " ", "(", "a@a."])
def test_a_long_text_is_looked_at_in_no_time(part: str) -> None:
    begun = perf_counter()
    mask_data({"plan": part * (64_000 // len(part)) + "!"})
    assert perf_counter() - begun < 1.0


@given(st.emails(), st.text(max_size=5))
def test_no_mail_address_is_left_anywhere(mail: str, key: str) -> None:
    assert mail not in str(mask_data({key: mail, "a": {"b": [mail, {"c": f"to {mail}"}]}}))
