"""How the calls of a list leave: by a voice provider that speaks the text, pushed to a dialler, or pulled by whoever dials. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Way = Literal["twilio", "dialler", "pull"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, slots=True)
class Ways:
    """The way of each list that has one of its own, and that of all others."""

    others: Way = "twilio"
    named: Mapping[str, Way] = field(default_factory=dict)

    def of(self, name: str) -> Way:
        """The way of a list."""
        return self.named.get(name, self.others)

    @property
    def used(self) -> frozenset[Way]:
        """The ways that some list takes."""
        return frozenset((self.others, *self.named.values()))
