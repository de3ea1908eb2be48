"""A call centre second by second, which knows nothing of the release's arithmetic: phones ring, people pick up, agents talk."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from nextwave_channels.call_lists.predictive import Capacity, Seen, released

REMEMBERED = 300
RIPE_SECONDS = 30
"""Calls that began so long ago have ended, or are talked in."""


@dataclass
class Call:
    """`settled_at`: when it is picked up, or given up."""

    began_at: float
    picks_up: bool
    settled_at: float
    ends_at: float | None = None
    lost: bool = False
    talk_seconds: float = 0.0


@dataclass
class CallCentre:
    """`agents` and `rate` are how it truly is; `said` is what the release was told of it. `talk` draws how long one talk takes."""

    agents: int
    rate: float
    said: Capacity
    chance: random.Random
    talk: Callable[[random.Random], float]
    under_way: list[Call] = field(default_factory=list)
    ripening: deque[Call] = field(default_factory=deque)
    remembered: deque[Call] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    picked_up: int = 0
    abandoned: int = 0
    talked_seconds: float = 0.0

    def live(self, seconds: int) -> None:
        for now in range(seconds):
            self.second(now)

    def second(self, now: float) -> None:
        self.under_way = [call for call in self.under_way if call.ends_at is None or call.ends_at > now]
        talking = sum(call.ends_at is not None for call in self.under_way)
        for call in [call for call in self.under_way if call.ends_at is None and call.settled_at <= now]:
            talking += self.settle(call, now, all_talk=talking >= self.agents)
        ringing = sum(call.ends_at is None for call in self.under_way)
        for _ in range(self.released(now, ringing, talking)):
            picks_up = self.chance.random() < self.rate
            call = Call(now, picks_up, now + (self.chance.uniform(3, 17) if picks_up else 25))
            self.under_way.append(call)
            self.ripening.append(call)

    def settle(self, call: Call, now: float, *, all_talk: bool) -> bool:
        """Whether an agent talks now."""
        call.lost = call.picks_up and all_talk
        if call.picks_up and not call.lost:
            call.talk_seconds = self.talk(self.chance)
        call.ends_at = now + call.talk_seconds
        self.picked_up += call.picks_up
        self.abandoned += call.lost
        self.talked_seconds += call.talk_seconds
        return call.talk_seconds > 0

    def released(self, now: float, ringing: int, talking: int) -> int:
        while self.ripening and self.ripening[0].began_at <= now - RIPE_SECONDS:
            self.remembered.append(self.ripening.popleft())
        talks = [call.talk_seconds for call in self.remembered if call.talk_seconds and (call.ends_at or now) <= now]
        seen = Seen(
            ended=len(self.remembered),
            picked_up=sum(call.picks_up for call in self.remembered),
            abandoned=sum(call.lost for call in self.remembered),
            talks=len(talks),
            talk_seconds=sum(talks),
        )
        return released(self.said, seen, talking=talking, ringing=ringing)
