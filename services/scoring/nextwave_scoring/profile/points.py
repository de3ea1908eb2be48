"""Contact points: where each channel reaches the customer, whether that is proved, and whether what was sent there came back."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.identifiers import WEB_PUSH

from nextwave_scoring.profile.record import ADDRESSES_MAX, ContactPoint, Profile

CHANNELS_OF: dict[str, tuple[str, ...]] = {
    kind: tuple(name for name, terms in CHANNELS.items() if terms.identifier == kind) for kind in ("email", "phone", "device_token")
}
"""Which channels an identifier of this kind is the address of."""
_ADDRESSES = ("email:", "phone:", f"device_token:{WEB_PUSH}")
Points = dict[str, ContactPoint]
Named = dict[str, int]
"""By hash of an address its first naming."""


def named(profile: Profile, names: Iterable[str], at: int) -> None:
    """Identifiers that are addresses become contact points; the newest one stands."""
    for name in names:
        if name.startswith(_ADDRESSES):
            kind, _, address = name.partition(":")
            for channel in CHANNELS_OF[kind]:
                point = profile.points.setdefault(channel, ContactPoint())
                point.set_at, point.address = max((point.set_at, point.address), (at, address))
            profile.named = _first(profile.named, _hash(address), at)


def verified(profile: Profile, channels: Iterable[str], at: int) -> None:
    """The customer has shown that they read what comes by these channels."""
    for channel in channels:
        point = profile.points.setdefault(channel, ContactPoint())
        point.verified_at = max(point.verified_at, at)


def is_verified(profile: Profile, point: ContactPoint) -> bool:
    """The address that stands was proved after it was first named. Of more than a few addresses some are never told to be proved."""
    return point.verified_at > 0 and 0 < profile.named.get(_hash(point.address), point.verified_at + 1) <= point.verified_at


def merge(a: Points, b: Points) -> Points:
    """For each channel the newer address, and the newest of everything that is known of the channel."""
    return {channel: _joined(a.get(channel, ContactPoint()), b.get(channel, ContactPoint())) for channel in {**a, **b}}


def merge_named(a: Named, b: Named) -> Named:
    """The first naming of each address of both."""
    known = dict(a)
    for key, at in b.items():
        known = _first(known, key, at)
    return known


def _joined(a: ContactPoint, b: ContactPoint) -> ContactPoint:
    set_at, address = max((a.set_at, a.address), (b.set_at, b.address))
    newest = (max(a.bounced_at, b.bounced_at), max(a.reached_at, b.reached_at), max(a.verified_at, b.verified_at))
    return ContactPoint(address, set_at, *newest)


def _first(known: Named, key: str, at: int) -> Named:
    """With an earlier naming; of too many those of the smallest hashes, so that one that gave way is never begun anew."""
    known[key] = min(at, known.get(key, at))
    return known if len(known) <= ADDRESSES_MAX else {key: known[key] for key in sorted(known)[:ADDRESSES_MAX]}


def _hash(address: str) -> str:
    return f"{crc32(address.encode()):x}"
