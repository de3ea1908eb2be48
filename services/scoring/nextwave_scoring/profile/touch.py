"""Takes a touchpoint into a profile. What happened late counts for when it happened; what claims to be ahead, for when it came.

Stops alone count from their reception (`speaking`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.causes import evidence
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile import bounds, contracts, dates, decay, hours, joins, orders, points, sales, words
from nextwave_scoring.profile.aging import advance
from nextwave_scoring.profile.merge import bounded_products
from nextwave_scoring.profile.record import HINTS_MAX, Product, Profile, first_of
from nextwave_scoring.profile.speaking import SPEAKING
from nextwave_scoring.profile.subjects import OTHER, bounded_kinds, meaning_of
from nextwave_scoring.profile.traits import take_traits
from nextwave_scoring.rates import Rates

Data = Mapping[str, Any]
ANSWERS: dict[str, str] = {
    "email.opened": "email",
    "email.clicked": "email",
    "email.received": "email",
    "sms.received": "sms",
    "chat.message_received": "chat",
    "onsite.clicked": "onsite",
}
"""Types that show that a channel reaches the customer at this hour."""
PROOFS: dict[str, tuple[str, ...]] = {"email.clicked": ("email",), "email.received": ("email",), "sms.received": ("sms",)}
"""Types that prove an address: only who reads what is sent there does this."""
_HOUSE = Rates()


def take(profile: Profile, touchpoint: Touchpoint, rates: Rates = _HOUSE) -> None:
    """Changes the profile by one touchpoint; `rates` turn money into the house currency."""
    received_at = micros(touchpoint.received_at)
    at = min(micros(touchpoint.occurred_at), received_at)
    kind, names = touchpoint.type, touchpoint.identifiers
    _happened(profile, kind, at)
    if kind in ANSWERS:
        _answered(profile, kind, at)
    points.named(profile, names, at)
    joined = len(names) > 1 and joins.take(profile, words.voices(profile, names), received_at)
    telling = _TELLING.get(kind)
    speaking = SPEAKING.get(kind)
    if telling is not None:
        telling(profile, touchpoint, at, rates)
    elif speaking is not None:
        speaking(profile, touchpoint, at)
    elif kind.startswith("contract."):
        contracts.take(profile.contracts, kind, touchpoint.data, at)
    _hinted(profile, kind, touchpoint.data, at)
    if joined or speaking is not None:
        words.settle(profile)


def _happened(profile: Profile, kind: str, at: int) -> None:
    """What every touchpoint says: that it was there, when, and of which kind."""
    meant = meaning_of(kind)
    profile.touchpoints += 1
    profile.first_at = first_of(profile.first_at, at)
    profile.last_at = max(profile.last_at, at)
    day = at // DAY
    if day > profile.landmark:
        advance(profile, day)
    weight = decay.weights(profile.landmark, at)
    decay.add(profile.kinds, meant.code, weight)
    decay.add(profile.counts, meant.subject, weight)
    if meant.subject == OTHER:
        profile.kinds = bounded_kinds(profile.kinds)
    if meant.signal:
        decay.add(profile.counts, meant.signal, weight)
    if meant.is_rhythm:
        profile.active_at = max(profile.active_at, at)
        profile.visits.mark(day)


def _answered(profile: Profile, kind: str, at: int) -> None:
    """A channel reached the customer."""
    hours.add(profile.hours, ANSWERS[kind], profile.landmark, at)
    if kind in PROOFS:
        points.verified(profile, PROOFS[kind], at)


def _hinted(profile: Profile, kind: str, data: Data, at: int) -> None:
    for hint in evidence(kind, data):
        if bounds.has_room(profile.hints, hint, HINTS_MAX):
            heard = profile.hints.setdefault(hint, [0, 0])
            heard[0] += 1
            heard[1] = max(heard[1], at)
            profile.hints = bounds.sampled(profile.hints, HINTS_MAX)


def _session(profile: Profile, _touchpoint: Touchpoint, _at: int, _rates: Rates) -> None:
    profile.sessions += 1


def _identified(profile: Profile, touchpoint: Touchpoint, at: int, _rates: Rates) -> None:
    take_traits(profile, touchpoint.data, at)


def _registered(profile: Profile, touchpoint: Touchpoint, at: int, rates: Rates) -> None:
    """Money that was spent to win the customer may be told with the sign-up: `acquisition_cost`, minor units."""
    data = touchpoint.data
    take_traits(profile, {key: value for key, value in data.items() if key != "acquisition_cost"}, at)
    spent = orders.amount_of(data, "acquisition_cost")
    if spent:
        won = orders.cost(profile, spent, orders.currency_of(data, rates.house), at, rates)
        profile.acquisition_cost = bounds.added(profile.acquisition_cost, won)


def _referred(profile: Profile, _touchpoint: Touchpoint, _at: int, _rates: Rates) -> None:
    profile.referrals += 1


def _product(profile: Profile, touchpoint: Touchpoint, at: int, _rates: Rates) -> None:
    data = touchpoint.data
    name, serial = _first(data, "name", "product", "product_name", "sku"), _first(data, "serial", "serial_number")
    product = Product(at, name, serial, dates.told(_first(data, "purchased_at", "purchase_date", "purchased_on")))
    key = serial or name
    profile.products[key] = max(product, profile.products.get(key, product))
    profile.products = bounded_products(profile.products)


def _first(data: Data, *keys: str) -> str:
    """The first text or number under these keys, cut to 64 characters."""
    return next((str(data[key])[:64] for key in keys if isinstance(data.get(key), str | int)), "")


_TELLING: dict[str, Callable[[Profile, Touchpoint, int, Rates], None]] = {
    "order.placed": sales.placed,
    "order.cancelled": sales.given_back,
    "order.returned": sales.given_back,
    "session.ended": _session,
    "customer.identified": _identified,
    "customer.registered": _registered,
    "preference.changed": _identified,
    "referral.made": _referred,
    "product.registered": _product,
}
