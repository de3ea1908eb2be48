"""Days that the profile names (birthdays of people and products, ends of contracts, any date of a trait) as times to let somebody in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from nextwave_contracts.customers import Snapshot
from nextwave_contracts.fields import reach

from nextwave_orchestrator.triggers.local_time import instant_of, zone_of

YEARS = range(1800, 2201)
"""Dates of other years are no dates of a customer."""
SHIFT_DAYS_MAX = 366
BIRTHDAY, PRODUCT_BIRTHDAY, CONTRACT_END, TRAIT = "birthday", "product_birthday", "contract_end", "traits."
_LAST_OF_ANY_FEBRUARY = 28


class Occasion(NamedTuple):
    """One day of one customer: the instant, the local time that it is (naive), and what it is about (a product's name, or nothing)."""

    at: datetime
    local: datetime
    about: str


@dataclass(frozen=True, slots=True)
class DateTrigger:
    """`shift_days` before (negative) or after the day that `of` names, at the local time `clock`; every year where `yearly`."""

    of: str
    shift_days: int
    clock: time
    yearly: bool

    def reads_the_same(self, one: Snapshot, other: Snapshot) -> bool:
        """Whether both profiles lead to the same occasions."""
        return one is other or (self._source(one) == self._source(other) and one.zones[:1] == other.zones[:1])

    def next_after(self, profile: Snapshot, after: datetime, served: datetime | None) -> datetime | None:
        """The instant of the first occasion after `after` that comes later on the customer's clock than the one `served` last."""
        found = (one.at for one in self._around(profile, after) if one.at > after and (served is None or one.local > served))
        return min(found, default=None)

    def falling_on(self, profile: Snapshot, at: datetime) -> list[Occasion]:
        """The occasions at exactly this instant, by what they are about."""
        return sorted({one for one in self._around(profile, at) if one.at == at}, key=lambda one: one.about)

    def _around(self, profile: Snapshot, at: datetime) -> Iterator[Occasion]:
        """Occasions of the years around; one that is not yearly has only its own."""
        zone = zone_of(profile.zones)
        for day, about in self._days(profile):
            years = range(max(day.year + 1, at.year - 2), at.year + 3) if self.yearly else (day.year,)
            for year in years:
                local = datetime.combine(in_year(day, year) + timedelta(days=self.shift_days), self.clock)
                yield Occasion(instant_of(local, zone), local, about)

    def _days(self, profile: Snapshot) -> Iterator[tuple[date, str]]:
        match self._source(profile):
            case tuple() as products:
                told = [(product.purchased_on, product.name) for product in products]
            case datetime() as instant:
                told = [(instant.date() if _is_midnight(instant) else instant.astimezone(zone_of(profile.zones)).date(), "")]
            case written:
                told = [(_read(written), "")]
        return ((day, about) for day, about in told if day is not None and day.year in YEARS)

    def _source(self, profile: Snapshot) -> Any:
        match self.of:
            case "product_birthday":
                return profile.products
            case "contract_end":
                return profile.contract_ends_at
            case "birthday":
                return profile.traits.get(BIRTHDAY)
            case trait:
                return reach(profile.traits, tuple(trait.removeprefix(TRAIT).split(".")))


def in_year(day: date, year: int) -> date:
    """The anniversary in that year. Who was born on 29 February has it on the 28th where there is no 29th."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, _LAST_OF_ANY_FEBRUARY)


def _read(written: Any) -> date | None:
    """The calendar day as it was written, whatever time and offset follow: `1990-03-01T00:00:00.000Z` is the first of March everywhere."""
    try:
        return date.fromisoformat(written[:10]) if isinstance(written, str) else None
    except ValueError:
        return None


def _is_midnight(instant: datetime) -> bool:
    """Midnight UTC is how a day without a time is told."""
    return instant.astimezone(UTC).time() == time()
