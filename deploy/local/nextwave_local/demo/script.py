"""The whole play: everything that the demo posts, in event-time order, the same for the same seed and data. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nextwave_local.demo.datasets import Row, Slot
from nextwave_local.demo.items import Item
from nextwave_local.demo.people import Person, person
from nextwave_local.demo.service import Desk
from nextwave_local.demo.shop import Shop
from nextwave_local.simulator.draws import draw

REPEATED_SHARE = 0.02
"""Of all posts; as a client does whose first attempt was not answered in time."""


@dataclass(frozen=True, slots=True)
class Script:
    """`items` in the order of their instants, repeats included; `first` and `last` are those of the clickstream."""

    items: tuple[Item, ...]
    people: tuple[Person, ...]
    first: datetime
    last: datetime


def write(seed: int, rows: Sequence[Row], curve: Sequence[Slot]) -> Script:
    """The play for these rows (in event-time order) and this day of calls."""
    people = {user: person(seed, user) for user in sorted({row.user for row in rows})}
    first, last = rows[0].at, rows[-1].at
    shop = Shop(seed, people)
    items = list(shop.calls(rows))
    desk = Desk(seed, people, shop.signed_up)
    items += [*desk.calls(curve, first, last), *desk.complaints(rows), *desk.stops(last)]
    items += _repeats(seed, items)
    return Script(tuple(sorted(items, key=lambda item: item.at)), tuple(people.values()), first, last)


def _repeats(seed: int, items: Sequence[Item]) -> list[Item]:
    return [
        replace(item, at=item.at + timedelta(minutes=5 + 600 * draw(seed, item.id, "again")))
        for item in items
        if draw(seed, item.id, "repeats") < REPEATED_SHARE
    ]
