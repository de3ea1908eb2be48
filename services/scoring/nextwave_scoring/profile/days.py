"""The days on which something happened, as a bit set: adding, repeating, shuffling and merging all give the same set of days."""

from __future__ import annotations

import msgspec

WINDOW_DAYS = 730
"""Days before the newest one that are remembered."""
_MASK = (1 << WINDOW_DAYS) - 1


class Days(msgspec.Struct, array_like=True):
    """Bit k (little endian) is the day `newest - k`; days are counted from 1970 in UTC. Empty bits: nothing happened yet."""

    newest: int = 0
    bits: bytes = b""

    def mark(self, day: int) -> None:
        """Something happened on `day`."""
        if day == self.newest and self.bits:
            return
        self._set(*_union(self.newest, self._number(), day, 1))

    def merged(self, other: Days) -> Days:
        """The days of both."""
        union = Days()
        union._set(*_union(self.newest, self._number(), other.newest, other._number()))
        return union

    @property
    def count(self) -> int:
        """How many days."""
        return int.from_bytes(self.bits, "little").bit_count() if self.bits else 0

    @property
    def span(self) -> int:
        """Days from the oldest remembered to the newest."""
        return max(self._number().bit_length() - 1, 0)

    def within(self, start: int, length: int) -> int:
        """How many days among the `length` that begin `start` days before the newest, going back."""
        number = int.from_bytes(self.bits, "little") >> start
        return (number & ((1 << length) - 1)).bit_count() if number else 0

    def gaps(self) -> list[int]:
        """Days between one and the next, newest first."""
        number = self._number()
        return [len(zeros) + 1 for zeros in bin(number)[:2:-1].split("1")[:-1]] if number else []

    def _number(self) -> int:
        return int.from_bytes(self.bits, "little")

    def _set(self, newest: int, number: int) -> None:
        self.newest = newest
        self.bits = number.to_bytes((number.bit_length() + 7) // 8, "little")


def _union(a_newest: int, a: int, b_newest: int, b: int) -> tuple[int, int]:
    if not a or not b:
        return (a_newest, a) if a else (b_newest, b)
    newest = max(a_newest, b_newest)
    return newest, (_aged(a, newest - a_newest) | _aged(b, newest - b_newest)) & _MASK


def _aged(number: int, days: int) -> int:
    return number << days if days < WINDOW_DAYS else 0
