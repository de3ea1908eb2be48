"""Who needs no addresses sees none: by key however it is written, and by what looks like an address whatever its key."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.masking import MASK, in_words, mask_data, mask_names

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
    begun = process_time()
    mask_data({"plan": part * (64_000 // len(part)) + "!"})
    assert process_time() - begun < 1.0


@given(st.emails(), st.text(max_size=5))
def test_no_mail_address_is_left_anywhere(mail: str, key: str) -> None:
    assert mail not in str(mask_data({key: mail, "a": {"b": [mail, {"c": f"to {mail}"}]}}))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 5.1.1 <ann@example.com>: Recipient address rejected", f"550 5.1.1 <{MASK}>: Recipient address rejected"),
        ("rfc822;Ann.Lee+x@mail.example.co.uk unknown", f"rfc822;{MASK} unknown"),
        ('550 <"ann lee"@example.com> none', f"550 <{MASK}> none"),
        ("to=ann%40example.com", MASK),
        ("The 'To' number +14155550100 is not valid", f"The 'To' number {MASK} is not valid"),
        ("400 21211 'To' 14155550100 is not a valid phone number.", f"400 21211 'To' {MASK} is not a valid phone number."),
        ("no route to +49 (151) 234-5678!", f"no route to {MASK}!"),
        ("no route to 0049 151 2345678", f"no route to {MASK}"),
        ("no route to 0151/2345678", f"no route to {MASK}"),
        ("call (415) 555-0100", f"call {MASK}"),
        ("To=%2B14155550100", f"To={MASK}"),
        ("a\r\nann@example.com\x00", f"a  {MASK}"),
        ("550 5.7.26 see 192.0.2.17 port 25, code 30003", "550 5.7.26 see 192.0.2.17 port 25, code 30003"),
        ("queued as 0100018f-1a2b-4c3d, 429 20429 in 3600 s", "queued as 0100018f-1a2b-4c3d, 429 20429 in 3600 s"),
        ("", ""),
    ],
)  # fmt: skip
def test_others_words_are_kept_without_addresses_and_numbers_but_with_their_codes(said: str, kept: str) -> None:
    assert in_words(said) == kept


def test_an_address_that_is_cut_off_by_the_limit_is_masked_first() -> None:
    assert in_words("x" * 190 + " ann.with.a.long.name@example.com") == "x" * 190 + " " + MASK
