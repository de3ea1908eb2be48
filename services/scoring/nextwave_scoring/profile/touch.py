"""Takes a touchpoint into a profile. What happened late counts for when it happened; what claims to be ahead, for when it came.

A stop (withdrawal, STOP, refusal, complaint) alone counts from its reception: a slow clock must not date it before the grant it takes back.
Reception is by the broker's stamp (`receipt`), so that a door's clock cannot do so either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile import consents, decay, joins, matters, rests, words
from nextwave_scoring.profile.record import Profile, Words, first_of
from nextwave_scoring.profile.subjects import NOT_RHYTHM, SIGNALS, subject_of
from nextwave_scoring.profile.traits import take_addresses, take_traits

Data = Mapping[str, Any]
Weight = tuple[float, float, float]
GOOD_RATING = 4.0


def take(profile: Profile, touchpoint: Touchpoint) -> None:
    """Changes the profile by one touchpoint."""
    at = micros(min(touchpoint.occurred_at, touchpoint.received_at))
    kind = touchpoint.type
    day = at // DAY
    profile.touchpoints += 1
    profile.first_at = first_of(profile.first_at, at)
    profile.last_at = max(profile.last_at, at)
    profile.landmark = decay.advance(profile.counts, profile.landmark, day)
    weight = decay.weights(profile.landmark, at)
    decay.add(profile.counts, subject_of(kind), weight)
    if kind in SIGNALS:
        decay.add(profile.counts, SIGNALS[kind], weight)
    if kind not in NOT_RHYTHM:
        profile.active_at = max(profile.active_at, at)
        profile.visits.mark(day)
    take_addresses(profile, touchpoint.identifiers, at)
    joined = joins.take(profile, words.voices(profile, touchpoint.identifiers), micros(touchpoint.received_at))
    handler = _SPEAKING.get(kind) or _TELLING.get(kind)
    if handler is not None:
        handler(profile, touchpoint, at, weight)
    if joined or kind in _SPEAKING:
        words.settle(profile)


def stopped_at(touchpoint: Touchpoint) -> int:
    """The instant from which a stop counts: its reception, or its own time where that is later.

    An old withdrawal that is imported after a newer grant thereby stops contact, which is the cautious side.
    """
    return micros(max(touchpoint.occurred_at, touchpoint.received_at))


def _order(profile: Profile, touchpoint: Touchpoint, at: int, _weight: Weight) -> None:
    sums = profile.orders.setdefault(_currency(touchpoint.data), [0, 0, 0])
    sums[0] += 1
    sums[1] += _amount(touchpoint.data)
    profile.first_order_at = first_of(profile.first_order_at, at)
    profile.last_order_at = max(profile.last_order_at, at)
    profile.purchases.mark(at // DAY)


def _given_back(profile: Profile, touchpoint: Touchpoint, _at: int, _weight: Weight) -> None:
    profile.orders.setdefault(_currency(touchpoint.data), [0, 0, 0])[2] += _amount(touchpoint.data)


def _session(profile: Profile, _touchpoint: Touchpoint, _at: int, _weight: Weight) -> None:
    profile.sessions += 1


def _identified(profile: Profile, touchpoint: Touchpoint, at: int, _weight: Weight) -> None:
    take_traits(profile, touchpoint.data, at)


def _granted(profile: Profile, touchpoint: Touchpoint, at: int, _weight: Weight) -> None:
    for said in words.lifting(profile, touchpoint):
        _consent(said, touchpoint.data, at, granted=True)


def _withdrawn(profile: Profile, touchpoint: Touchpoint, _at: int, _weight: Weight) -> None:
    _consent(words.stopping(profile, touchpoint), touchpoint.data, stopped_at(touchpoint), granted=False)


def _consent(said: Words, data: Data, at: int, *, granted: bool) -> None:
    consents.take(said.consents, channel=data.get("channel", ""), purpose=data.get("purpose", ""), granted=granted, at=at)


def _texted(profile: Profile, touchpoint: Touchpoint, at: int, _weight: Weight) -> None:
    """The door has read the text; what it asks for (STOP, START) is in `wish`."""
    wish = touchpoint.data.get("wish")
    if wish == "opt_out":
        _consent(words.stopping(profile, touchpoint), {"channel": "sms"}, stopped_at(touchpoint), granted=False)
    elif wish == "opt_in":
        for said in words.lifting(profile, touchpoint):
            _consent(said, {"channel": "sms"}, at, granted=True)


def _complaint(profile: Profile, touchpoint: Touchpoint, _at: int, _weight: Weight) -> None:
    rests.complained(profile, stopped_at(touchpoint))
    said = words.stopping(profile, touchpoint)
    matters.opened(said.matters, matters.COMPLAINT, _reference(touchpoint.data), stopped_at(touchpoint))


def _resolved(profile: Profile, touchpoint: Touchpoint, at: int, _weight: Weight) -> None:
    for said in words.lifting(profile, touchpoint):
        matters.closed(said.matters, matters.COMPLAINT, _reference(touchpoint.data), at)
    if touchpoint.data.get("satisfied") is False:
        soured = words.stopping(profile, touchpoint)
        soured.soured_at = max(soured.soured_at, at)
    else:
        _soothed(profile, touchpoint, at)


def _service(profile: Profile, touchpoint: Touchpoint, at: int, _weight: Weight) -> None:
    matters.opened(words.stopping(profile, touchpoint).matters, matters.SERVICE, _reference(touchpoint.data), at)


def _served(profile: Profile, touchpoint: Touchpoint, at: int, _weight: Weight) -> None:
    for said in words.lifting(profile, touchpoint):
        matters.closed(said.matters, matters.SERVICE, _reference(touchpoint.data), at)


def _rated(profile: Profile, touchpoint: Touchpoint, at: int, weight: Weight) -> None:
    data = touchpoint.data
    _rating(profile, touchpoint, data.get("rating", data.get("satisfaction", data.get("score"))), at, weight)


def _wrapped_up(profile: Profile, touchpoint: Touchpoint, at: int, weight: Weight) -> None:
    data = touchpoint.data
    _rating(profile, touchpoint, data.get("satisfaction"), at, weight)
    if data.get("refusal") is True or data.get("disposition") == "refused":
        rests.refused(profile, "call", stopped_at(touchpoint))
        decay.add(profile.counts, "refusal", weight)
    if data.get("refusal") is True:
        _consent(words.stopping(profile, touchpoint), {"channel": "call"}, stopped_at(touchpoint), granted=False)
    if data.get("complaint") is True:
        decay.add(profile.counts, "complaint", weight)
        rests.complained(profile, stopped_at(touchpoint))
        said = words.stopping(profile, touchpoint)
        matters.opened(said.matters, matters.COMPLAINT, _reference(data) or touchpoint.id, stopped_at(touchpoint))


def _rating(profile: Profile, touchpoint: Touchpoint, rating: object, at: int, weight: Weight) -> None:
    """Ratings are 1..5; anything else is no rating."""
    if isinstance(rating, bool) or not isinstance(rating, int | float) or not 1 <= rating <= 5:
        return
    decay.add(profile.counts, "rating", weight, float(rating))
    decay.add(profile.counts, "rated", weight)
    if rating >= GOOD_RATING:
        _soothed(profile, touchpoint, at)


def _soothed(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    for said in words.lifting(profile, touchpoint):
        said.soothed_at = max(said.soothed_at, at)


def _reference(data: Data) -> str:
    value = data.get("reference", "")
    return str(value) if isinstance(value, str | int) else ""


def _amount(data: Data) -> int:
    """Integer minor units; what is no such amount counts as an order of nothing."""
    amount = data.get("amount", 0)
    return amount if isinstance(amount, int) and not isinstance(amount, bool) and 0 <= amount < 2**50 else 0


def _currency(data: Data) -> str:
    currency = data.get("currency")
    return currency.upper() if isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha() else "XXX"


Handler = Callable[[Profile, Touchpoint, int, Weight], None]
_TELLING: dict[str, Handler] = {
    "order.placed": _order,
    "order.cancelled": _given_back,
    "order.returned": _given_back,
    "session.ended": _session,
    "customer.identified": _identified,
    "customer.registered": _identified,
    "preference.changed": _identified,
}
_SPEAKING: dict[str, Handler] = {
    "consent.granted": _granted,
    "consent.withdrawn": _withdrawn,
    "sms.received": _texted,
    "complaint.opened": _complaint,
    "complaint.resolved": _resolved,
    "service.requested": _service,
    "service.completed": _served,
    "satisfaction.rated": _rated,
    "call.wrapped_up": _wrapped_up,
}
"""What stops contact or lets it go on."""
