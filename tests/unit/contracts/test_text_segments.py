"""A text takes as many segments as carriers bill: by 3GPP TS 23.038's alphabets, with no character parted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.text_segments import ALONE, BASIC, EXTENDED, JOINED, segments


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "count"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("Größe: 5 @ Ω", "gsm7", 12, 1),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 80 + "a", "gsm7", 161, 2),
        ("a" + "€" * 152, "gsm7", 305, 2),
        ("€" * 153, "gsm7", 306, 3),  # 153 septets hold 76 pairs and one septet that no pair fits in
        ("ç" * 70, "ucs2", 70, 1),
        ("ç" * 71, "ucs2", 71, 2),
        ("ç" * 134, "ucs2", 134, 2),
        ("ç" * 135, "ucs2", 135, 3),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 36, "ucs2", 72, 2),
        ("😀" * 67, "ucs2", 134, 3),  # 67 units hold 33 pairs
        ("^{}[]" + "ç", "ucs2", 6, 1),
    ],
)
def test_a_text_takes_these_units_and_segments(text: str, alphabet: str, units: int, count: int) -> None:
    found = segments(text)
    assert (found.alphabet, found.units, found.count) == (alphabet, units, count)


def test_the_first_character_that_makes_a_text_dearer_is_named() -> None:
    assert segments("Don\u2019t ask").because == "\u2019"
    assert segments("Don't ask").because == ""


def test_the_alphabets_have_their_128_and_10_characters_and_none_twice() -> None:
    assert (len(BASIC), len(EXTENDED), BASIC & EXTENDED) == (127, 10, frozenset())  # the 128th place is the escape


@given(st.text(), st.text())
def test_more_text_never_takes_fewer_segments_and_never_more_than_parted_ones_would_by_one_unit_each(text: str, more: str) -> None:
    found, longer = segments(text), segments(text + more)
    assert longer.count >= found.count
    assert found.count >= -(-found.units // (ALONE[found.alphabet]))
    assert found.count <= -(-found.units // (JOINED[found.alphabet] - 1)) or found.count == 1
