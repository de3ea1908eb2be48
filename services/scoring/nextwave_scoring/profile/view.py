"""The parts of a snapshot, and of what an analyst is shown, that are read straight from a profile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from nextwave_contracts.customers import BestHour, Cases, ContactPoint, Orders, PastContact, Registered

from nextwave_scoring.instants import instant, instant_or_none
from nextwave_scoring.profile import cases, decay, hours, matters, points
from nextwave_scoring.profile.outcomes import RESPONSES
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.profile.subjects import CHANNEL_OF, OTHER, SUBJECTS, kind_of
from nextwave_scoring.profile.traits import QUIET_HOURS
from nextwave_scoring.terms import end_of

_MONTH, _QUARTER = 1, 2
"""Indices of the 30- and 90-day spans."""
_STEPS = frozenset({"sent", "reached", *RESPONSES})
_ACTIVITY = (*SUBJECTS, OTHER)
_LEAST = 0.001
_NO_CASES = Cases()


def orders(profile: Profile, currency: str) -> Orders:
    """All orders, converted into the house's `currency`; where none could be, those of the currency with the most orders.

    Revenue is net of what was given back.
    """
    sums, days = profile.orders, profile.purchases
    if not sums and not profile.first_order_at:
        return Orders(currency=currency)
    if profile.converted:
        _, revenue, given_back, *_ = profile.converted
    else:
        currency = max(sums, key=lambda c: (sums[c][0], c), default=currency)
        _, revenue, given_back = sums.get(currency, (0, 0, 0))
    return Orders(
        count=sum(orders for orders, _, _ in sums.values()),
        revenue=revenue - given_back,
        currency=currency,
        first_at=instant_or_none(profile.first_order_at),
        last_at=instant_or_none(profile.last_order_at),
        interval_days=days.span / (days.count - 1) if days.count > 1 else None,
    )


def activity(profile: Profile, at: int) -> dict[str, float]:
    """Decayed counts (30 days) per subject as of `at` (microseconds); what has faded is left out."""
    counts, fading = profile.counts, decay.fading(profile.landmark, span=_MONTH, at=at)
    return {key: round(n, 4) for key in _ACTIVITY if key in counts and (n := decay.faded(counts[key], _MONTH) * fading) >= _LEAST}


def contact_points(profile: Profile) -> tuple[ContactPoint, ...]:
    """Where each channel reaches the customer. Bounced until a newer address or a later delivery."""
    if not profile.points:
        return ()
    known = [
        ContactPoint(
            channel=channel,
            address=p.address,
            bounced=p.bounced_at > p.set_at and p.bounced_at > p.reached_at,
            verified=points.is_verified(profile, p),
        )
        for channel, p in sorted(profile.points.items())
        if p.address
    ]
    return tuple(known)


def past_contacts(profile: Profile) -> tuple[PastContact, ...]:
    """Recent contacts, oldest first; also those that failed, since proof of contact may come after the merge."""
    known = [
        PastContact(
            action_id=action, campaign=c.campaign, channel=c.channel, at=instant(c.first_at), unsent=bool(c.failed_at) and not c.made_at
        )
        for action, c in profile.contacts.items()
    ]
    return tuple(sorted(known, key=lambda c: (c.at, c.action_id)))


def home(profile: Profile, key: str) -> str:
    """`country`, `region` or `language`; empty when unknown."""
    fact = profile.home.get(key)
    return str(fact[1]) if fact else ""


def traits(profile: Profile) -> dict[str, Any]:
    """The newest value of each trait, quiet hours among them."""
    known = {key: value for key, (_, value) in profile.traits.items()}
    return {**known, QUIET_HOURS: profile.home[QUIET_HOURS][1]} if QUIET_HOURS in profile.home else known


def kinds(profile: Profile, at: int, *, span: int = _MONTH) -> dict[str, float]:
    """Decayed counts per type of touchpoint as of `at` (microseconds); `span` is an index of `decay.SPANS_DAYS`."""
    fading = decay.fading(profile.landmark, span=span, at=at)
    counts = {kind_of(code): decay.faded(values, span) * fading for code, values in sorted(profile.kinds.items())}
    return {kind: round(count, 4) for kind, count in counts.items() if count >= _LEAST}


def channels(profile: Profile, at: int, *, span: int = _MONTH) -> dict[str, float]:
    """Decayed counts of the customer's touchpoints per channel by which they came; `web` for the site."""
    mix: dict[str, float] = {}
    for kind, count in kinds(profile, at, span=span).items():
        channel = CHANNEL_OF.get(kind)
        if channel is not None:
            mix[channel] = round(mix.get(channel, 0.0) + count, 4)
    return mix


def responses(profile: Profile, at: int) -> dict[str, dict[str, float]]:
    """By channel of ours: decayed counts (90 days) of contacts `sent` and `reached`, and of each way of answering."""
    fading = decay.fading(profile.landmark, span=_QUARTER, at=at)
    found: dict[str, dict[str, float]] = {}
    for key, values in sorted(profile.counts.items()):
        step, dot, channel = key.partition(".")
        if dot and step in _STEPS:
            found.setdefault(channel, {})[step] = round(decay.faded(values, _QUARTER) * fading, 4)
    return found


def best_hours(profile: Profile, zone: str, at: int, *, most: int = 5) -> dict[str, tuple[hours.Best, ...]]:
    """By channel the best hours of the week on the customer's clock: weekday (0: Monday), hour, decayed number of answers."""
    return {channel: hours.best(sums, profile.landmark, zone, at, most=most) for channel, sums in sorted(profile.hours.items()) if sums}


def verified_channels(profile: Profile) -> tuple[str, ...]:
    """Channels on which the customer has proved that the address is theirs."""
    return tuple(channel for channel, point in sorted(profile.points.items()) if points.is_verified(profile, point))


def products(profile: Profile) -> tuple[Registered, ...]:
    """Registered products, the newest first."""
    newest = sorted(profile.products.values(), reverse=True)
    return tuple(
        Registered(name=p.name, serial=p.serial, purchased_on=instant(p.purchased_at).date() if p.purchased_at else None) for p in newest
    )


def contract_ends_at(profile: Profile, at: int) -> datetime | None:
    """The end of the contract that ends next after `at` (microseconds); None where no such end is known."""
    ends = [end for contract in profile.contracts.values() if (end := end_of(contract)) > at]
    return instant(min(ends)) if ends else None


def best_hour(profile: Profile, zones: Sequence[str], at: int) -> tuple[BestHour, ...]:
    """By channel the one best hour of the week, in the first of the candidate zones."""
    found = best_hours(profile, zones[0], at, most=1) if zones else {}
    return tuple([BestHour(channel=channel, weekday=best[0][0], hour=best[0][1]) for channel, best in found.items()])


def categories(profile: Profile) -> tuple[str, ...]:
    """Categories bought from, those with most items first."""
    return tuple(sorted(profile.categories, key=lambda category: (-profile.categories[category][0], category)))


def services(profile: Profile) -> Cases:
    """Service matters."""
    return _cases(profile, matters.SERVICE)


def complaints(profile: Profile) -> Cases:
    """Complaints."""
    return _cases(profile, matters.COMPLAINT)


def _cases(profile: Profile, kind: str) -> Cases:
    if not profile.matters and not profile.cases:
        return _NO_CASES
    waiting, solved, seconds = cases.counted(profile, kind)
    return Cases(open=waiting, solved=solved, mean_seconds=seconds)


def shared_names(profile: Profile) -> tuple[str, ...]:
    """Identifiers that other customers have too; all of them where the customer is nothing but a shared name."""
    return tuple(profile.names) if profile.sharers else tuple(name for name in profile.names if name in profile.shared)


def converted(profile: Profile) -> dict[str, int]:
    """Orders in the house currency: count, and minor units."""
    names = ("orders", "revenue", "given_back", "stated_margin", "revenue_without_stated_margin")
    return dict(zip(names, profile.converted or [0] * len(names), strict=True))
