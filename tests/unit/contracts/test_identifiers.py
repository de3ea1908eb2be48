"""Identifiers: equal names are equal bytes, wrong ones are refused with what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.identifiers import KINDS, InvalidIdentifierError, blind, identifier, parse, strongest
from nextwave_contracts.links import InvalidTokenError, Link, sign, verify


def full_width(text: str) -> str:
    """As East Asian keyboards write it."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("email:Ann@Example.COM ", "email:ann@example.com"),
        ("email:ann@Bücher.example", "email:ann@xn--bcher-kva.example"),
        ("phone:+1 (415) 555-0100", "phone:+14155550100"),
        ("customer_id: 42 ", "customer_id:42"),
        ("external:crm:7", "external:crm:7"),
        ("email:ann@faß.example", "email:ann@xn--fa-hia.example"),  # IDNA 2008: not fass.example
        ("email:ann@FASS.example.", "email:ann@fass.example"),
        ("email:" + full_width("ann@EXAMPLE.com"), "email:ann@example.com"),
        ("email:ann@日本。jp", "email:ann@xn--wgv71a.jp"),
        ("email:ann@i❤.ws", "email:ann@xn--i-7iq.ws"),  # IDNA 2008 knows no emoji, mailboxes do
        ("email:ann@XN--BCHER-KVA.example", "email:ann@xn--bcher-kva.example"),
        ("email:\ufeffann\u200b@example.com", "email:ann@example.com"),
        ("phone:+49 (0)30 123456", "phone:+4930123456"),
        ("phone:tel:+1-415-555-0100", "phone:+14155550100"),
        ("phone:" + full_width("+14155550100"), "phone:+14155550100"),
        ("phone:+1 415 555 0100 ext. 5", "phone:+14155550100"),
        ("customer_id:cafe\u0301", "customer_id:café"),
    ],
)
def test_what_people_write_becomes_one_normal_form(written: str, normal: str) -> None:
    assert parse(written) == normal
    assert parse(normal) == normal


@pytest.mark.parametrize(
    "wrong",
    [
        "email:a@b..c",
        "email:a@.",
        "42",
        "colour:red",
        "email:nobody",
        "email:a b@c.de",
        "phone:12",
        "customer_id:",
        "customer_id:\x00",
        "device_token:" + "x" * 300,
    ],
)
def test_what_is_no_identifier_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        parse(wrong)


@pytest.mark.parametrize(
    ("written", "region", "normal"),
    [
        ("030 123456", "de", "phone:+4930123456"),
        ("0049 30 123456", "DE", "phone:+4930123456"),
        ("06 698 1234", "IT", "phone:+39066981234"),  # the zero is part of an Italian number
        ("+1 415 555 0100", "DE", "phone:+14155550100"),
    ],
)
def test_a_national_number_is_read_by_its_region(written: str, region: str, normal: str) -> None:
    assert identifier("phone", written, region=region) == normal


_MAILS = st.tuples(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=12)).map("@".join)
_PHONES = st.from_regex(r"[+0]?[0-9 ()/-]{5,16}", fullmatch=True)


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.one_of(st.text(max_size=20), _MAILS, _PHONES), st.sampled_from([None, "DE", "us"]))
def test_normalising_twice_is_normalising_once(kind: str, written: str, region: str | None) -> None:
    try:
        normal = identifier(kind, written, region=region)
    except InvalidIdentifierError:
        return
    assert parse(normal) == normal


@given(st.lists(st.sampled_from([identifier(k, "1") if k not in {"email", "phone"} else f"{k}:x" for k in KINDS]), min_size=1))
def test_the_strongest_does_not_depend_on_order(names: list[str]) -> None:
    assert strongest(names) == strongest(list(reversed(names)))


def test_keyed_hashes_differ_by_key_and_do_not_show_the_name() -> None:
    assert blind("email:ann@example.com", b"k1") != blind("email:ann@example.com", b"k2")
    assert "ann" not in blind("email:ann@example.com", b"k1")


@given(st.text(max_size=40), st.integers(0, 200))
def test_a_changed_link_is_refused(target: str, cut: int) -> None:
    link = Link(customer_id="c", channel="email", purpose="marketing", action_id="a", target=target)
    token = sign(link, b"key")
    assert verify(token, b"key") == link
    with pytest.raises(InvalidTokenError):
        verify(token[: cut % len(token)], b"key")
    with pytest.raises(InvalidTokenError):
        verify(token, b"other")


@pytest.mark.parametrize(
    "written",
    [
        "customer_id:undefined",
        "anonymous_id:null",
        "external:crm:[object Object]",
        "external:None",
        "device_token: NaN",
        "customer_id:(null)",
    ],
)
def test_what_a_program_writes_for_no_value_names_nobody(written: str) -> None:
    with pytest.raises(InvalidIdentifierError, match="where it has no value; leave the name out"):
        parse(written)


@pytest.mark.parametrize("written", ["customer_id:nullable", "customer_id:undefined:7", "email:null@example.com", "anonymous_id:0"])
def test_a_name_that_only_looks_like_it_stays_a_name(written: str) -> None:
    assert parse(written) == written
