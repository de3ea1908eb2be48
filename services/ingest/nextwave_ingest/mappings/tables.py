"""Tables of a mapping as they are asked: people write codes in any case, and a call may have several of them. PURE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import UNSET

from nextwave_ingest.admission import RefusedError
from nextwave_ingest.stops import ANSWERS, yes_or_no

REFUSED = "refused"
"""The disposition that outweighs any other."""


class Table:
    """Entries by code, whatever its case and the blanks around it; a code that is written exactly so comes first."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._exact = entries
        self._folded = {folded(code): entry for code, entry in reversed(tuple(entries.items()))}

    def __contains__(self, value: Any) -> bool:
        return self._entry(value) is not UNSET

    def look_up(self, value: Any, at: str) -> Any:
        """The entry of a code, or `UNSET`; of several codes what all of their entries say. Raises `RefusedError` where that is contrary."""
        if not isinstance(value, list):
            return self._entry(value)
        found = [(code, entry) for code in value if (entry := self._entry(code)) is not UNSET]
        if not found:
            return UNSET
        entries = [entry for _, entry in found]
        if all(isinstance(entry, Mapping) for entry in entries):
            return _together(entries)
        if all(isinstance(entry, bool) for entry in entries):
            return any(entries)
        if any(entry != entries[0] for entry in entries):
            raise RefusedError(
                at, f"{', '.join(_names(found)):.100} stand for different things; send one of them, or let them mean the same"
            )
        return entries[0]

    def _entry(self, value: Any) -> Any:
        code = code_of(value)
        return self._exact[code] if code in self._exact else self._folded.get(folded(code), UNSET)


def code_of(value: Any) -> str:
    """A value as tables write it; empty for what is no code."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def folded(code: str) -> str:
    """A code without regard to case and to blanks around it."""
    return code.strip().casefold()


def alike(entries: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Codes that are no others than one before them, with that one."""
    first: dict[str, str] = {}
    for code in entries:
        if (other := first.setdefault(folded(code), code)) != code:
            yield code, other


def _together(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What entries say, of each field the first word; but a stop wins, whichever of them says it."""
    said: dict[str, Any] = {}
    for entry in entries:
        for field, value in entry.items():
            if field not in said or _stops(field, value):
                said[field] = value
    return said


def _stops(field: str, value: Any) -> bool:
    return (field in ANSWERS and yes_or_no(value)) or (field == "disposition" and value == REFUSED)


def _names(found: Iterable[tuple[Any, Any]]) -> list[str]:
    return list(dict.fromkeys(code_of(code) for code, _ in found))
