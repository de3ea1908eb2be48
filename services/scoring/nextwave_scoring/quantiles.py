"""How a number is spread over all customers, kept while they change: each customer counts once, with the newest value.

The buckets are those of DDSketch (Masson, Rim & Lee, VLDB 2019): logarithmic, so a quantile is right within `ACCURACY` of its value.
A tally is a plain sum over customers: order, batches and partitions leave no trace in it, and what a customer no longer is, is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import DenseStore

ACCURACY = 0.02
"""Greatest relative error of a quantile."""
_MAPPING = LogarithmicMapping(ACCURACY)

Tally = dict[int, int]
"""Customers by bucket. One partition's may be below 0, where a customer came in at another one; that of all partitions is not."""


def bucket(value: int) -> int:
    """The bucket of a whole number: 0 for 0, otherwise with the sign of the number."""
    if value == 0:
        return 0
    key = _MAPPING.key(abs(value)) + 1
    return key if value > 0 else -key


def move(tally: Tally, before: int | None, after: int | None) -> None:
    """A customer goes from bucket `before` (None: was not counted) to `after` (None: is not counted any more)."""
    for place, change in ((before, -1), (after, 1)):
        if place is not None:
            tally[place] = tally.get(place, 0) + change


def merged(tallies: Iterable[Tally]) -> Tally:
    """All together."""
    whole: Tally = {}
    for tally in tallies:
        for place, customers in tally.items():
            whole[place] = whole.get(place, 0) + customers
    return {place: customers for place, customers in whole.items() if customers}


def counted(tally: Tally) -> int:
    """How many customers."""
    return sum(tally.values())


def quantile(tally: Tally, share: float) -> int:
    """The value that `share` (0..1) of the customers are below, within `ACCURACY`. Raises `ValueError` for a tally of nobody."""
    positive, negative = DenseStore(), DenseStore()
    for place, customers in sorted(tally.items()):
        if place and customers > 0:
            (positive if place > 0 else negative).add(abs(place) - 1, customers)
    value = BaseDDSketch(_MAPPING, positive, negative, max(tally.get(0, 0), 0)).get_quantile_value(share)
    if value is None:
        raise ValueError("a tally of nobody has no quantiles")
    return round(value)


def packed(tally: Tally) -> bytes:
    """As it is stored; the same tally always gives the same bytes."""
    return msgspec.msgpack.encode({place: customers for place, customers in sorted(tally.items()) if customers})


def unpacked(stored: bytes) -> Tally:
    """What `packed` stored."""
    return msgspec.msgpack.decode(stored, type=dict[int, int])
