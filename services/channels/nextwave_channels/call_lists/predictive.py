"""How many calls may ring at once, so that hardly anybody who picks up finds no agent: the arithmetic of predictive dialling. Pure.

Of n ringing calls X are picked up, binomial with the answer rate p. Of b agents who talk, Z still talk when those calls are picked up:
binomial with exp(-ring / handling), the exponential law of telephone traffic (Erlang). With A agents, (X + Z - A)+ people find nobody.
The greatest n is taken whose expected abandonment E[(X + Z - A)+] is at most the target's share of the answers expected, E[X] = n p.

p is learned, and counts as one standard error higher than what was seen. Beyond one call for each free agent, no more lines are open than
calls were seen to end: a list begins carefully.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

AGENTS_MAX = 300
LINES_MAX = 1000
"""Calls of one list that may ring at once; it also bounds the work: lines times agents."""
PRIOR_CALLS = 20
"""As how many calls the values given beforehand count, against those that were made."""
CORRECTED_WITHIN = 100
"""What was abandoned beyond the target is made good within so many calls that are picked up."""


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


def lines(capacity: Capacity, talking: int) -> int:
    """How many calls may ring at once. One for each agent without a call always may: nobody who picks up then finds nobody."""
    agents = min(capacity.agents, AGENTS_MAX)
    if agents <= 0:
        return 0
    rate = min(1.0, max(0.0, capacity.answer_rate))
    busy = min(max(0, talking), agents)
    stays = math.exp(-capacity.ring_seconds / capacity.handling_seconds)
    wanted = _none_or(agents)
    for _ in range(busy):
        wanted = _one_more(wanted, stays)
    count = 0
    while count < LINES_MAX:
        wanted = _one_more(wanted, rate)
        mean = busy * stays + (count + 1) * rate
        if _overflow(wanted, mean) > capacity.abandon_target * (count + 1) * rate + 1e-9:
            break
        count += 1
    return max(count, agents - busy)


def _none_or(agents: int) -> list[float]:
    """The chances that 0, 1, ... agents are wanted, below `agents`: surely none."""
    return [1.0, *[0.0] * (agents - 1)]


def _one_more(wanted: Sequence[float], chance: float) -> list[float]:
    """The same with one more call that wants an agent with this chance."""
    rest = 1.0 - chance
    return [wanted[0] * rest, *(here * rest + below * chance for below, here in pairwise(wanted))]


def _overflow(wanted: Sequence[float], mean: float) -> float:
    """The expected number of those who find no agent, of `mean` who want one: E[Y] - A + E[(A - Y)+]."""
    agents = len(wanted)
    return mean - agents + sum((agents - count) * chance for count, chance in enumerate(wanted))
