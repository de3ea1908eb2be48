"""A channel's ways out: each provider with slots, connections, a breaker and a rate of its own, and which of them takes a delivery.

What is remembered here is this replica's; rates and operators' words are in the database and hold for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from nextwave_runtime.clock import WallClock
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import breaker, metrics, provider_store
from nextwave_channels.allotting import Offer, Shares
from nextwave_channels.answers import Adapter, Answer, Refused
from nextwave_channels.breaker import Breaker
from nextwave_channels.delivery import Delivery, Way
from nextwave_channels.pacing import Pace
from nextwave_channels.prices import NO_PRICES, Prices
from nextwave_channels.rate import Rate, left, spend, wait_seconds
from nextwave_channels.tally import Tally

LOOK_SECONDS = 0.5
"""How often it is looked whether an operator opened a closed provider again; he may expect it within a second."""
WAIT_SECONDS_MIN = 0.02
OPENNESS: Mapping[breaker.State, float] = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


@dataclass(slots=True, kw_only=True)
class Outlet:
    """One provider of a channel. `rate`: None where it has no limit. `adapter`: None where whoever claims for it calls it by itself.

    `breaks`: False where each address leads to a server that its recipient chose: what one of them answers says nothing of the others.
    """

    provider: str
    adapter: Adapter | None
    pace: Pace
    rate: Rate | None = None
    breaks: bool = True
    breaker: Breaker = field(default_factory=Breaker)
    resting_until: float = float("-inf")
    """Steady seconds: nothing can be claimed before, by its rate or an operator's word."""
    tally: Tally = field(default_factory=Tally)
    under_way: dict[str, bool] = field(default_factory=dict)
    """Action ids of sends; whether each is the breaker's probe."""

    def room(self, now: float) -> int:
        """How many more sends may begin, as far as this replica knows."""
        if now < self.resting_until:
            return 0
        return breaker.room(self.breaker, now, self.pace.concurrency - len(self.under_way))

    def worth_a_claim(self, now: float) -> bool:
        """Claims of one delivery each would cost as much as claims of several; a probe goes alone."""
        room = self.room(now)
        return room > self.pace.concurrency // 4 or (room > 0 and breaker.state(self.breaker, now) == "half_open")

    def until(self, now: float) -> float:
        """Seconds until its rest or its breaker's pause is over; 0 when neither keeps it."""
        return max(self.resting_until, self.breaker.until, now) - now

    def begin(self, action_id: str, now: float) -> None:
        """A delivery was claimed for it."""
        self.breaker, self.under_way[action_id] = breaker.begin(self.breaker, now)

    def end(self, action_id: str, answer: Answer | None, now: float) -> None:
        """Its answer, None when it was not called after all."""
        heard = answer if self.breaks else None
        self.breaker = breaker.hear(self.breaker, heard, now, probe=self.under_way.pop(action_id, False))


class Outlets:
    """All providers of a channel, in the configured order. `steady`: seconds that never jump."""

    def __init__(
        self, channel: str, outlets: Sequence[Outlet], clock: WallClock, steady: Callable[[], float], prices: Prices = NO_PRICES
    ) -> None:
        self.channel = channel
        self.all = {outlet.provider: outlet for outlet in outlets}
        self.prices = prices
        self._clock = clock
        self._steady = steady
        paces = [outlet.pace for outlet in outlets]
        self.pace = Pace(
            concurrency=sum(pace.concurrency for pace in paces),
            deadline_seconds=max(pace.deadline_seconds for pace in paces),
            lease_seconds=max(pace.lease_seconds for pace in paces),
            fresh_seconds=min(pace.fresh_seconds for pace in paces),
        )
        for outlet in outlets:
            self._show(outlet)

    def worth_a_claim(self) -> bool:
        """Whether some provider could take several deliveries now, or a probe."""
        now = self._steady()
        return any(outlet.worth_a_claim(now) for outlet in self.all.values())

    def seconds_until_room(self) -> float:
        """How long to wait before it is asked again, if no send ends meanwhile."""
        now = self._steady()
        waits = [outlet.until(now) for outlet in self.all.values()]
        return max(WAIT_SECONDS_MIN, min([wait for wait in waits if wait > 0] + [LOOK_SECONDS]))

    def state(self, outlet: Outlet) -> breaker.State:
        """Its breaker's state now."""
        return breaker.state(outlet.breaker, self._steady())

    def closed_seconds(self, outlet: Outlet) -> float:
        """How long its breaker, or the pause that it asked for, still keeps it closed."""
        return max(0.0, outlet.breaker.until - self._steady())

    def onward(self, provider: str, answer: Answer) -> Answer:
        """The answer as it concerns the delivery: it need not wait for a provider (Retry-After) while another one is there for it."""
        now = self._steady()
        others = any(outlet.until(now) == 0 for name, outlet in self.all.items() if name != provider)
        return replace(answer, retry_after_seconds=None) if others and isinstance(answer, Refused) else answer

    def begin(self, action_id: str, provider: str) -> None:
        """A delivery was claimed, and committed, for a provider."""
        self.all[provider].begin(action_id, self._steady())

    def end(self, action_id: str, provider: str, answer: Answer | None) -> None:
        """What a provider answered; None when it was not called after all."""
        self.all[provider].end(action_id, answer, self._steady())
        if answer is not None:
            self.all[provider].tally.add(answer, self._clock.wall())

    async def allot(self, limit: int, connection: AsyncConnection) -> Allotted:
        """What one claim may take (see `claiming.Allot`): by operators' words, breakers, free slots and rates, at most `limit`."""
        now = self._steady()
        rated = [outlet.provider for outlet in self.all.values() if outlet.rate and outlet.room(now)]
        if rated:
            words, wall = await provider_store.lock_channel(connection, self.channel, rated)
        else:
            words, wall = await provider_store.of_channel(connection, self.channel), 0.0
        offers, whole_at = [], dict[str, float]()
        for outlet in self.all.values():
            word = words.get(outlet.provider, provider_store.Word())
            room = outlet.room(now) if word.enabled else 0
            if not word.enabled:
                outlet.resting_until = max(outlet.resting_until, now + LOOK_SECONDS)
            if room and outlet.rate:
                whole_at[outlet.provider] = word.whole_at
                room = min(room, left(outlet.rate, word.whole_at, wall))
                self.rest(outlet, outlet.rate, word.whole_at, wall)
            offers.append(Offer(outlet.provider, room))
        return Allotted(self, Shares(offers, limit, self.prices), wall, whole_at)

    def _show(self, outlet: Outlet) -> None:
        place = (self.channel, outlet.provider)
        metrics.BREAKER.labels(*place).set_function(lambda: OPENNESS[self.state(outlet)])
        metrics.IN_FLIGHT.labels(*place).set_function(lambda: len(outlet.under_way))

    def rest(self, outlet: Outlet, rate: Rate, whole_at: float, wall: float) -> None:
        """Until its rate allows another one there is nothing to claim for it."""
        wait = wait_seconds(rate, whole_at, wall)
        if wait > 0:
            outlet.resting_until = max(outlet.resting_until, self._steady() + wait)


@dataclass(frozen=True, slots=True)
class Allotted:
    """One claim's allotment (see `claiming.Allotment`). `whole_at`: rates as they were at `wall` (the database's Unix seconds)."""

    outlets: Outlets
    shares: Shares
    wall: float
    whole_at: dict[str, float]

    @property
    def room(self) -> int:
        """How many more deliveries may be taken."""
        return self.shares.room

    def way(self, delivery: Delivery, now: datetime) -> Way:
        """Takes one of `room` for this delivery."""
        return self.shares.way(delivery, now)

    async def keep(self, connection: AsyncConnection) -> None:
        """Writes down what was taken of rates."""
        spent = {}
        for provider, whole_at in self.whole_at.items():
            outlet, count = self.outlets.all[provider], self.shares.taken[provider]
            if outlet.rate is None or not count:
                continue
            spent[provider] = spend(outlet.rate, whole_at, self.wall, count)
            self.outlets.rest(outlet, outlet.rate, spent[provider], self.wall)
            metrics.RATE_LEFT.labels(self.outlets.channel, provider).set(left(outlet.rate, spent[provider], self.wall))
        if spent:
            await provider_store.spend(connection, self.outlets.channel, spent)
