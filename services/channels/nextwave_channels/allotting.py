"""Which provider takes each delivery of a claim, purely: one with room, not the one that just refused it, the cheapest, the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nextwave_channels.delivery import Delivery, Way
from nextwave_channels.prices import Prices


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider and how many deliveries it can take now. Offers stand in the configured order."""

    provider: str
    room: int


@dataclass(slots=True)
class Shares:
    """What one claim gives to whom: at most `limit` deliveries, and no provider more than its offer."""

    offers: Sequence[Offer]
    limit: int
    prices: Prices
    taken: Counter[str] = field(default_factory=Counter)

    @property
    def room(self) -> int:
        """How many more deliveries can be given."""
        return min(self.limit, sum(offer.room for offer in self.offers)) - self.taken.total()

    def way(self, delivery: Delivery, now: datetime) -> Way:
        """Gives the delivery to one of those who have room; at least one has."""
        ways = [
            Way(offer.provider, self.prices.cost(delivery.contact, offer.provider, now))
            for offer in self.offers
            if self.taken[offer.provider] < offer.room
        ]
        chosen = min(ways, key=lambda way: _rank(delivery, way))  # the first of equals
        self.taken[chosen.provider] += 1
        return chosen


def _rank(delivery: Delivery, way: Way) -> tuple[bool, int]:
    refused_it = delivery.attempt > 0 and delivery.provider == way.provider
    return refused_it, delivery.contact.cost if way.cost is None else way.cost
