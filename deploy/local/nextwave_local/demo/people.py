"""The shop's customers as people: where they live, how they are reached, what they agreed to; from a seed, none real. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nextwave_local.simulator.draws import draw

CONSENT_SHARES = {"email": 0.86, "sms": 0.7, "call": 0.6}
"""Share of customers who agree to marketing on a channel when they sign up."""
GUEST_SHARE = 0.06
MAIL_SHARE = 0.97
PHONE_SHARE = 0.88
ZONE_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Place:
    """A place to live: country, region, zone, language; `area` is the area code of American numbers."""

    country: str
    region: str
    zone: str
    language: str
    area: str = ""


BRITAIN = Place("GB", "", "Europe/London", "en")
FRANCE = Place("FR", "", "Europe/Paris", "fr")
AMERICA = (
    Place("US", "NY", "America/New_York", "en", "212"),
    Place("US", "IL", "America/Chicago", "en", "312"),
    Place("US", "CO", "America/Denver", "en", "303"),
    Place("US", "CA", "America/Los_Angeles", "en", "213"),
    Place("US", "FL", "America/New_York", "en", "305"),
    Place("US", "TX", "America/Chicago", "en", "713"),
)
NUMBERS_MAX = 600
"""People who can have a number of their own: a hundred in each of the six American area codes."""


@dataclass(frozen=True, slots=True)
class Person:
    """One customer. `email` and `phone` are empty where none is given; `patience` is the number of events before they sign up."""

    user: str
    place: Place
    email: str
    phone: str
    tells_zone: bool
    is_guest: bool
    patience: int
    agreed: tuple[str, ...]

    def traits(self) -> dict[str, Any]:
        """What they tell when they sign up, as the Segment protocol names it."""
        address = {"country": self.place.country} | ({"state": self.place.region} if self.place.region else {})
        told = {"email": self.email, "phone": self.phone, "timezone": self.place.zone if self.tells_zone else ""}
        return {"address": address, "language": self.place.language} | {name: value for name, value in told.items() if value}


def person(seed: int, user: str) -> Person:
    """The person behind a user of the clickstream, `user_0000` to `user_0599`."""
    number = int(user.rpartition("_")[2])
    place = _place(number)
    has_phone = draw(seed, user, "phone") < PHONE_SHARE
    has_mail = draw(seed, user, "email") < MAIL_SHARE or not has_phone
    reachable = {"email": has_mail, "sms": has_phone, "call": has_phone}
    return Person(
        user=user,
        place=place,
        email=f"user{number}@example.com" if has_mail else "",
        phone=phone_number(place, number) if has_phone else "",
        tells_zone=draw(seed, user, "zone") < ZONE_SHARE,
        is_guest=draw(seed, user, "guest") < GUEST_SHARE,
        patience=3 + int(12 * draw(seed, user, "patience")),
        agreed=tuple(c for c, share in CONSENT_SHARES.items() if reachable[c] and draw(seed, user, "consent", c) < share),
    )


def phone_number(place: Place, number: int) -> str:
    """A number that belongs to nobody, out of the ranges that regulators keep for films and books.

    Ofcom: 07700 900000-900999. NANPA: 555-0100 to 555-0199 of every area code. ARCEP: 06 39 98 00 00 to 06 39 98 99 99.
    """
    if not 0 <= number < NUMBERS_MAX:
        raise ValueError(f"there are numbers for {NUMBERS_MAX} people, not for number {number}")
    if place.country == "GB":
        return f"+447700900{number:03d}"
    if place.country == "US":
        return f"+1{place.area}55501{number // len(AMERICA):02d}"
    return f"+3363998{number:04d}"


def _place(number: int) -> Place:
    share = number % 20
    if share < 7:
        return BRITAIN
    return AMERICA[number % len(AMERICA)] if share < 14 else FRANCE
