"""How many calls may ring at once, so that hardly anybody who picks up finds no agent: the arithmetic of predictive dialling. Pure.

Of n ringing calls X are picked up, binomial with the answer rate p. Of b agents who talk, Z still talk when those calls are picked up:
binomial with exp(-ring / handling), the exponential law of telephone traffic (Erlang). With A agents, (X + Z - A)+ people find nobody.
The greatest n is taken whose expected abandonment E[(X + Z - A)+] is at most the target's share of the answers expected, E[X] = n p.

p is learned, and counts as one standard error higher than what was seen. Beyond one call for each free agent, no more lines are open than
calls were seen to end: a list begins carefully.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

AGENTS_MAX = 300
LINES_MAX = 1000
"""Calls of one list that may ring at once; it also bounds the work."""
PRIOR_CALLS = 20
"""As how many calls the values given beforehand count, against those that were made."""
CORRECTED_WITHIN = 100
"""What was abandoned beyond the target is made good within so many calls that are picked up."""
_LOG_FACTORIAL = [math.lgamma(number + 1) for number in range(LINES_MAX + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What is said of a list: agents on it, and the values that hold until enough was reported.

    `ring_seconds`: how long a call rings that is picked up, on average. `abandon_target`: the share of all that are picked up.
    """

    agents: int
    handling_seconds: float
    answer_rate: float
    abandon_target: float
    ring_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was reported of a list's last calls: ended, picked up, picked up with nobody there, and how long talks with agents took.

    They are the last ones by when they *began*, long enough ago to have ended: those that are picked up are heard of earlier than others.
    """

    ended: int = 0
    picked_up: int = 0
    abandoned: int = 0
    talks: int = 0
    talk_seconds: float = 0.0


def released(said: Capacity, seen: Seen, *, talking: int, ringing: int) -> int:
    """How many calls may leave now, beside those that ring, while so many agents talk."""
    free = said.agents - min(talking, said.agents)
    return max(0, min(lines(learned(said, seen), talking), free + seen.ended) - ringing)


def learned(said: Capacity, seen: Seen) -> Capacity:
    """The capacity with what was seen in place of what was said, as far as it is enough; the target is lower after too much abandonment."""
    calls = PRIOR_CALLS + seen.ended
    rate = (said.answer_rate * PRIOR_CALLS + seen.picked_up) / calls
    handling = (said.handling_seconds * PRIOR_CALLS + seen.talk_seconds) / (PRIOR_CALLS + seen.talks)
    beyond = seen.abandoned - said.abandon_target * seen.picked_up
    return replace(
        said,
        handling_seconds=handling,
        answer_rate=min(1.0, rate + math.sqrt(rate * (1.0 - rate) / calls)),
        abandon_target=max(0.0, said.abandon_target - max(0.0, beyond) / CORRECTED_WITHIN),
    )


@lru_cache(maxsize=256)
def lines(capacity: Capacity, talking: int) -> int:
    """How many calls may ring at once. One for each agent without a call always may: nobody who picks up then finds nobody.

    The expected abandonment of n calls is convex in n and none for n = 0: within the target are all n up to one of them.
    """
    agents = min(capacity.agents, AGENTS_MAX)
    if agents <= 0:
        return 0
    rate = min(1.0, max(0.0, capacity.answer_rate))
    busy = min(max(0, talking), agents)
    still = _binomial(busy, math.exp(-capacity.ring_seconds / capacity.handling_seconds))

    def too_many(count: int) -> bool:
        return _abandoned(still, agents, _binomial(count, rate)) > capacity.abandon_target * count * rate + 1e-9

    count = bisect_left(range(1, LINES_MAX + 1), x=True, key=too_many)
    return max(count, agents - busy)


def _binomial(of: int, chance: float) -> list[float]:
    """The chances of 0, 1, ... `of`."""
    if not 0.0 < chance < 1.0:
        sure = of if chance >= 1.0 else 0
        return [float(hits == sure) for hits in range(of + 1)]
    hit, miss, all_ways = math.log(chance), math.log1p(-chance), _LOG_FACTORIAL[of]
    return [
        math.exp(all_ways - _LOG_FACTORIAL[hits] - _LOG_FACTORIAL[of - hits] + hits * hit + (of - hits) * miss) for hits in range(of + 1)
    ]


def _abandoned(still: Sequence[float], agents: int, picked_up: Sequence[float]) -> float:
    """The expected number of those who find no agent: E[(X + Z - A)+], over the agents who still talk."""
    more_than = list(accumulate(reversed(picked_up)))[::-1]  # P(X >= k)
    beyond = [*list(accumulate(reversed(more_than[1:])))[::-1], 0.0]  # E[(X - k)+] = P(X > k) + P(X > k + 1) + ...
    return sum(chance * beyond[agents - busy] for busy, chance in enumerate(still) if agents - busy < len(beyond))
