"""How a text message is sent and paid for: in which alphabet, and in how many segments (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Alphabet = Literal["gsm7", "ucs2"]
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet: one unit each."""
EXTENDED = frozenset("\f^{}\\[~]|€")
"""The extension table: an escape and the character, two units, never parted."""
ALONE: dict[Alphabet, int] = {"gsm7": 160, "ucs2": 70}
"""Units of a text that is one segment."""
JOINED: dict[Alphabet, int] = {"gsm7": 153, "ucs2": 67}
"""Units of each segment of a longer text: the header that joins them takes 6 octets."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text takes. `units`: septets, or UTF-16 code units; `because`: the first character that the 7-bit alphabet has not."""

    alphabet: Alphabet
    units: int
    count: int
    because: str = ""


def segments(text: str) -> Segments:
    """The text's segments, as a provider that chooses the smallest alphabet sends and bills them. An empty text is one."""
    because = next((c for c in text if c not in BASIC and c not in EXTENDED), "")
    alphabet: Alphabet = "ucs2" if because else "gsm7"
    widths = [_width(character, alphabet) for character in text]
    units = sum(widths)
    return Segments(alphabet, units, 1 if units <= ALONE[alphabet] else _joined(widths, JOINED[alphabet]), because)


def _width(character: str, alphabet: Alphabet) -> int:
    """A character of the extension table, or beyond the basic multilingual plane (a surrogate pair), counts two."""
    return 1 + (character in EXTENDED if alphabet == "gsm7" else ord(character) > 0xFFFF)


def _joined(widths: list[int], room: int) -> int:
    """How many segments hold these characters, none of which is parted."""
    count, used = 1, 0
    for width in widths:
        if used + width > room:
            count, used = count + 1, 0
        used += width
    return count
