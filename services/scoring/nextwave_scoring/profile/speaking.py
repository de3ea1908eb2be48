"""What customers say that stops contact or lets it go on: consents, own words, complaints, service requests, ratings, wrapped-up calls.

A stop (withdrawal, STOP, refusal, complaint) and the end of a review alone count from their reception: a slow clock must not date a stop
before the grant that it takes back.
Reception is by the broker's stamp (`receipt`), so that a door's clock cannot do so either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from nextwave_contracts.messages_in import CHANNEL_OF, refused_channel, stopped_channel
from nextwave_contracts.touchpoints import Touchpoint

from nextwave_scoring.instants import micros
from nextwave_scoring.profile import cases, consents, decay, matters, points, rests, words
from nextwave_scoring.profile.record import Profile, Words
from nextwave_scoring.profile.satisfaction import RATING

Data = Mapping[str, Any]
GOOD_RATING = 4.0
BAD_RATING = 2.0
"""Up to this an answer to a question of ours opens a matter."""


def hear_stop(profile: Profile, touchpoint: Touchpoint, *, channels: frozenset[str] | None = None) -> bool:
    """Takes only what a touchpoint stops, said by a name that this customer shares; says whether it stops anything.

    `channels`: only withdrawals from these count (None: every stop).
    """
    stops = _STOPPING.get(touchpoint.type)
    if stops is None or (channels is not None and _withdrawn_channel(touchpoint) not in channels):
        return False
    heard = stops(profile, touchpoint)
    if heard:
        words.settle(profile)
    return heard


def stopped_at(touchpoint: Touchpoint) -> int:
    """The instant from which a stop counts: its reception, or its own time where that is later.

    An old withdrawal that is imported after a newer grant thereby stops contact, which is the cautious side.
    """
    return micros(max(touchpoint.occurred_at, touchpoint.received_at))


def _granted(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    """`double_opt_in`: the grant was confirmed by what was sent to the address."""
    data = touchpoint.data
    for said in words.lifting(profile, touchpoint):
        _consent(said, data, at, granted=True)
    if data.get("double_opt_in") is True:
        points.verified(profile, (data.get("channel") or "email",), at)


def _withdrawn(profile: Profile, touchpoint: Touchpoint, _at: int = 0) -> bool:
    _consent(words.stopping(profile, touchpoint), touchpoint.data, stopped_at(touchpoint), granted=False)
    return True


def _consent(said: Words, data: Data, at: int, *, granted: bool) -> None:
    consents.take(said.consents, channel=data.get("channel", ""), purpose=data.get("purpose", ""), granted=granted, at=at)


def _written(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    """The door has read what the customer wrote; what it asks for (STOP, START) or may ask for is in `wish`."""
    if not _writing_stopped(profile, touchpoint) and touchpoint.data.get("wish") == "opt_in":
        for said in words.lifting(profile, touchpoint):
            _consent(said, {"channel": stopped_channel(touchpoint.type, touchpoint.data)}, at, granted=True)


def _writing_stopped(profile: Profile, touchpoint: Touchpoint) -> bool:
    """A stop, or a possible one, which holds until it is reviewed."""
    data, at = touchpoint.data, stopped_at(touchpoint)
    wish = data.get("wish")
    if wish == "opt_out":
        _consent(words.stopping(profile, touchpoint), {"channel": stopped_channel(touchpoint.type, data)}, at, granted=False)
    elif wish == "review":
        matters.opened(words.stopping(profile, touchpoint).matters, matters.REVIEW, str(data.get("review", "")), at)
    return wish in {"opt_out", "review"}


def _reviewed(profile: Profile, touchpoint: Touchpoint, _at: int = 0) -> bool:
    """The verdict closes its own review, and withdraws where it was a refusal. Who shares the name hears both."""
    data, at = touchpoint.data, stopped_at(touchpoint)
    if data.get("refused") is True:
        _consent(words.stopping(profile, touchpoint), {"channel": refused_channel(data)}, at, granted=False)
    if reference := _reference(data):
        for said in words.lifting(profile, touchpoint):
            matters.closed(said.matters, matters.REVIEW, reference, at)
    return True


def _complaint(profile: Profile, touchpoint: Touchpoint, _at: int) -> None:
    _complained(profile, touchpoint)
    cases.opened(profile, matters.COMPLAINT, _reference(touchpoint.data), stopped_at(touchpoint))


def _complained(profile: Profile, touchpoint: Touchpoint) -> bool:
    """A complaint in a wrap-up without a reference is named by its touchpoint."""
    reference = _reference(touchpoint.data) or (touchpoint.id if touchpoint.type == "call.wrapped_up" else "")
    rests.complained(profile, stopped_at(touchpoint))
    said = words.stopping(profile, touchpoint)
    matters.opened(said.matters, matters.COMPLAINT, reference, stopped_at(touchpoint))
    return True


def _resolved(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    for said in words.lifting(profile, touchpoint):
        matters.closed(said.matters, matters.COMPLAINT, _reference(touchpoint.data), at)
    cases.closed(profile, matters.COMPLAINT, _reference(touchpoint.data), at)
    if touchpoint.data.get("satisfied") is False:
        soured = words.stopping(profile, touchpoint)
        soured.soured_at = max(soured.soured_at, at)
    else:
        _soothed(profile, touchpoint, at)


def _service(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    matters.opened(words.stopping(profile, touchpoint).matters, matters.SERVICE, _reference(touchpoint.data), at)
    cases.opened(profile, matters.SERVICE, _reference(touchpoint.data), at)


def _served(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    for said in words.lifting(profile, touchpoint):
        matters.closed(said.matters, matters.SERVICE, _reference(touchpoint.data), at)
    cases.closed(profile, matters.SERVICE, _reference(touchpoint.data), at)


def _rated(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    """A bad answer opens a matter, named as it names it or else by its own id; `service.completed` closes it."""
    data = touchpoint.data
    rating = data.get("rating", data.get("satisfaction", data.get("score")))
    _rating(profile, touchpoint, rating, at)
    if _is_rating(rating) and rating <= BAD_RATING:
        reference = _reference(data) or touchpoint.id
        matters.opened(words.stopping(profile, touchpoint).matters, matters.SERVICE, reference, at)
        cases.opened(profile, matters.SERVICE, reference, at)


def _wrapped_up(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    data = touchpoint.data
    _rating(profile, touchpoint, data.get("satisfaction"), at)
    weight = decay.weights(profile.landmark, at)
    if data.get("refusal") is True or data.get("disposition") == "refused":
        profile.refusals += 1
        decay.add(profile.counts, "refusal", weight)
    if data.get("complaint") is True:
        decay.add(profile.counts, "complaint", weight)
        cases.opened(profile, matters.COMPLAINT, _reference(data) or touchpoint.id, stopped_at(touchpoint))
    _call_stopped(profile, touchpoint)


def _call_stopped(profile: Profile, touchpoint: Touchpoint) -> bool:
    data = touchpoint.data
    refused = data.get("refusal") is True
    if refused or data.get("disposition") == "refused":
        rests.rest(profile, "call", stopped_at(touchpoint))
    if refused:
        _consent(words.stopping(profile, touchpoint), {"channel": "call"}, stopped_at(touchpoint), granted=False)
    return (data.get("complaint") is True and _complained(profile, touchpoint)) or refused


def _rating(profile: Profile, touchpoint: Touchpoint, rating: object, at: int) -> None:
    if not _is_rating(rating):
        return
    weight = decay.weights(profile.landmark, at)
    decay.add(profile.counts, "rating", weight, round(rating * RATING))
    decay.add(profile.counts, "rated", weight)
    if rating >= GOOD_RATING:
        _soothed(profile, touchpoint, at)


def _is_rating(rating: object) -> TypeGuard[float]:
    """Ratings are 1..5; anything else is no rating."""
    return isinstance(rating, int | float) and not isinstance(rating, bool) and 1 <= rating <= 5


def _soothed(profile: Profile, touchpoint: Touchpoint, at: int) -> None:
    for said in words.lifting(profile, touchpoint):
        said.soothed_at = max(said.soothed_at, at)


def _withdrawn_channel(touchpoint: Touchpoint) -> str:
    """The channel that a stop is about; nothing where it is about all, or no withdrawal."""
    if touchpoint.type == "consent.withdrawn":
        return str(touchpoint.data.get("channel") or "")
    if touchpoint.type == "refusal.reviewed":
        return refused_channel(touchpoint.data)
    return "call" if touchpoint.type == "call.wrapped_up" else stopped_channel(touchpoint.type, touchpoint.data)


def _reference(data: Data) -> str:
    value = data.get("reference", "")
    return str(value) if isinstance(value, str | int) else ""


SPEAKING: dict[str, Callable[[Profile, Touchpoint, int], object]] = {
    "consent.granted": _granted,
    "consent.withdrawn": _withdrawn,
    "refusal.reviewed": _reviewed,
    "complaint.opened": _complaint,
    "complaint.resolved": _resolved,
    "service.requested": _service,
    "service.completed": _served,
    "satisfaction.rated": _rated,
    "call.wrapped_up": _wrapped_up,
    **dict.fromkeys(CHANNEL_OF, _written),
}
"""What stops contact or lets it go on."""
_STOPPING: dict[str, Callable[[Profile, Touchpoint], bool]] = {
    "consent.withdrawn": _withdrawn,
    "refusal.reviewed": _reviewed,
    "complaint.opened": _complained,
    "call.wrapped_up": _call_stopped,
    **dict.fromkeys(CHANNEL_OF, _writing_stopped),
}
"""The part of it that stops: whether it did."""
