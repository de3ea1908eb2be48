"""Texts and phrases in one plain form, and phrases as one pattern that takes time in proportion to the text. PURE."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LETTERS_MAX = 4000
"""Characters of a text that are looked at: a refusal that begins later is somebody's essay."""
_ALIKE = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "æ": "a", "œ": "o"})
_DIGRAPHS = re.compile(r"([aou])e")
"""`ae` for `ä` and its like; texts and phrases are both folded, so it does not matter that other words change too."""
_APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc`\u00b4]")
_NEGATED = re.compile(r"\b(do|did|have) ?not\b")
_NOT_WORDS = re.compile(r"[\W_]+")
_GAP = r"(?: \w+){0,3}?"


def plain(text: str) -> str:
    """Small letters without accents, apostrophes and marks, words by single spaces; "do not" is `dont`."""
    bare = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text[:LETTERS_MAX]).casefold().translate(_ALIKE))
    kept = "".join(letter for letter in bare if not unicodedata.combining(letter))
    words = _NEGATED.sub(r"\1nt", _NOT_WORDS.sub(" ", kept).strip())
    return _DIGRAPHS.sub(r"\1", words)


def pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these phrases as whole words in a plain text."""
    return re.compile(rf"\b(?:{'|'.join(map(_written, phrases))})\b")


def _written(phrase: str) -> str:
    found = ""
    for word in phrase.split(" "):
        part = _GAP if word == "*" else f"(?:{'|'.join(plain(choice) for choice in word.split('/'))})"
        found += part if word == "*" or not found else f" {part}"
    return found
