"""Two customers turn out to be one: their profiles become one, whichever is named first, with the stricter consents and holds of both."""

from __future__ import annotations

from typing import Any

from nextwave_contracts.identifiers import strength

from nextwave_scoring.profile import decay, joins, rests, words
from nextwave_scoring.profile.record import (
    ABSORBED_MAX,
    CONTACTS_MAX,
    NAMES_MAX,
    TRAITS_MAX,
    ContactPoint,
    PastContact,
    Profile,
    first_of,
    newer,
)

Facts = dict[str, tuple[int, Any]]


def merge(a: Profile, b: Profile) -> Profile:
    """A new profile with everything of both. Nothing says yet that they are one: the touchpoint that does is taken in after this."""
    counts, landmark = decay.merge(a.counts, a.landmark, b.counts, b.landmark)
    merged = Profile(
        names=bounded_names([*a.names, *b.names]),
        first_at=first_of(a.first_at, b.first_at),
        last_at=max(a.last_at, b.last_at),
        active_at=max(a.active_at, b.active_at),
        touchpoints=a.touchpoints + b.touchpoints,
        sessions=a.sessions + b.sessions,
        landmark=landmark,
        counts=counts,
        visits=a.visits.merged(b.visits),
        purchases=a.purchases.merged(b.purchases),
        orders=_sums(a.orders, b.orders),
        first_order_at=first_of(a.first_order_at, b.first_order_at),
        last_order_at=max(a.last_order_at, b.last_order_at),
        refusals=a.refusals + b.refusals,
        points=_points(a.points, b.points),
        home=_newest(a.home, b.home),
        traits=bounded_traits(_newest(a.traits, b.traits)),
        contacts=bounded_contacts(_contacts(a.contacts, b.contacts)),
        refused=rests.later(a.refused, b.refused),
        complained_at=max(a.complained_at, b.complained_at),
        absorbed=bounded_absorbed(rests.later(a.absorbed, b.absorbed)),
        words=words.merge(a.words, b.words),
        joins=joins.earliest([*a.joins, *b.joins]),
    )
    words.settle(merged)
    return merged


def bounded_names(names: list[str]) -> list[str]:
    """Strongest first, each once, at most `NAMES_MAX`."""
    return sorted(set(names), key=strength)[:NAMES_MAX]


def bounded_traits(traits: Facts) -> Facts:
    """The newest `TRAITS_MAX`."""
    if len(traits) <= TRAITS_MAX:
        return traits
    return dict(sorted(traits.items(), key=lambda item: (-item[1][0], item[0]))[:TRAITS_MAX])


def bounded_contacts(contacts: dict[str, PastContact]) -> dict[str, PastContact]:
    """The newest `CONTACTS_MAX`."""
    if len(contacts) <= CONTACTS_MAX:
        return contacts
    return dict(sorted(contacts.items(), key=lambda item: (-item[1].at, item[0]))[:CONTACTS_MAX])


def bounded_absorbed(absorbed: dict[str, int]) -> dict[str, int]:
    """The newest `ABSORBED_MAX`."""
    return dict(sorted(absorbed.items(), key=lambda item: (-item[1], item[0]))[:ABSORBED_MAX])


def joined_contact(a: PastContact, b: PastContact) -> PastContact:
    """What two reports of one contact say together."""
    return PastContact(a.campaign, a.channel, min(a.at, b.at), a.failed or b.failed, a.made or b.made)


def joined_point(a: ContactPoint, b: ContactPoint) -> ContactPoint:
    """The newer address, and the newest of everything that is known of the channel."""
    set_at, address = max((a.set_at, a.address), (b.set_at, b.address))
    return ContactPoint(address, set_at, max(a.bounced_at, b.bounced_at), max(a.reached_at, b.reached_at))


def _sums(a: dict[str, list[int]], b: dict[str, list[int]]) -> dict[str, list[int]]:
    return {key: [x + y for x, y in zip(a.get(key, [0, 0, 0]), b.get(key, [0, 0, 0]), strict=True)] for key in {**a, **b}}


def _points(a: dict[str, ContactPoint], b: dict[str, ContactPoint]) -> dict[str, ContactPoint]:
    return {key: joined_point(a.get(key, ContactPoint()), b.get(key, ContactPoint())) for key in {**a, **b}}


def _newest(a: Facts, b: Facts) -> Facts:
    return {**a, **{key: newer(a.get(key), fact) for key, fact in b.items()}}


def _contacts(a: dict[str, PastContact], b: dict[str, PastContact]) -> dict[str, PastContact]:
    return {**a, **{key: joined_contact(a[key], contact) if key in a else contact for key, contact in b.items()}}
