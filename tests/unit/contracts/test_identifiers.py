"""Identifiers: equal names are equal bytes, wrong ones are refused with what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.identifiers import KINDS, InvalidIdentifierError, blind, identifier, parse, strongest
from nextwave_contracts.links import InvalidTokenError, Link, sign, verify


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("email:Ann@Example.COM ", "email:ann@example.com"),
        ("email:ann@Bücher.example", "email:ann@xn--bcher-kva.example"),
        ("phone:+1 (415) 555-0100", "phone:+14155550100"),
        ("customer_id: 42 ", "customer_id:42"),
        ("external:crm:7", "external:crm:7"),
    ],
)
def test_what_people_write_becomes_one_normal_form(written: str, normal: str) -> None:
    assert parse(written) == normal
    assert parse(normal) == normal


@pytest.mark.parametrize(
    "wrong",
    ["42", "colour:red", "email:nobody", "email:a b@c.de", "phone:12", "customer_id:", "customer_id:\x00", "device_token:" + "x" * 300],
)
def test_what_is_no_identifier_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        parse(wrong)


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
