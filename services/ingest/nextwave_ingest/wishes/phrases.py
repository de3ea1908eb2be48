"""Texts and phrases in one plain form, and phrases as one pattern that takes time in proportion to the text. PURE."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

LETTERS_MAX = 1000
"""Characters of a text that are looked at, once its blanks are single ones: a refusal that begins later is somebody's essay."""
_UNSEEN = re.compile(r"[\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufeff]+")
"""What is as wide as nothing, with which mails are filled."""
_ALIKE = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "æ": "a", "œ": "o"})
_DIGRAPHS = re.compile(r"([aou])e")
"""`ae` for `ä` and its like; texts and phrases are both folded, so it does not matter that other words change too."""
_APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc`\u00b4]")
_NEGATED = re.compile(r"\b(do|did|have) ?not\b")
_NOT_WORDS = re.compile(r"[\W_]+")
_GAP = r"(?: \w+){0,3}?"


def squeezed(text: str) -> str:
    """The text with single blanks, and none around it."""
    return " ".join((text if text.isascii() else _UNSEEN.sub(" ", text)).split())


def plain(text: str) -> str:
    """Small letters without accents, apostrophes and marks, words by single spaces; "do not" is `dont`."""
    bare = _APOSTROPHES.sub("", text[:LETTERS_MAX]).casefold()
    if not bare.isascii():
        bare = unicodedata.normalize("NFKD", bare.translate(_ALIKE))
        bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    words = _NEGATED.sub(r"\1nt", _NOT_WORDS.sub(" ", bare).strip())
    return _DIGRAPHS.sub(r"\1", words)


class Phrases:
    """Finds phrases as whole words in a plain text. Most texts have none of the words that phrases begin with, and are not searched."""

    def __init__(self, phrases: Iterable[str]) -> None:
        behind: dict[str, list[str]] = defaultdict(list)
        for phrase in phrases:
            first, *rest = phrase.split(" ")
            for choice in _choices(first):
                behind[choice].append("".join(map(_written, rest)))
        self._first = frozenset(behind)
        begun = (f"{first}(?:{'|'.join(rests)})" for first, rests in behind.items())
        self._pattern = re.compile(rf"\b(?:{'|'.join(begun)})\b")

    def are_in(self, said: str) -> bool:
        """Whether one of them is in a plain text."""
        return self._may_be_in(said) and self._pattern.search(said) is not None

    def taken_out(self, said: str) -> str:
        """The plain text with a dash for each of them, which no phrase reaches over."""
        return self._pattern.sub("-", said) if self._may_be_in(said) else said

    def _may_be_in(self, said: str) -> bool:
        return not self._first.isdisjoint(said.split(" "))


def _choices(word: str) -> list[str]:
    return [plain(choice) for choice in word.split("/")]


def _written(word: str) -> str:
    return _GAP if word == "*" else f" (?:{'|'.join(_choices(word))})"
