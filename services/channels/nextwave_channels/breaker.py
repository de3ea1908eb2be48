"""When a provider is left alone: a circuit breaker as a pure value. Times are steady seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from nextwave_channels.answers import Accepted, Answer, Refused

FAILURES_MAX = 5
"""So many failures in a row open it."""
OPEN_SECONDS = 5.0
OPEN_SECONDS_MAX = 60.0
"""It stays open for `OPEN_SECONDS`, twice as long after each probe that failed, up to this."""
PAUSE_SECONDS_MAX = 3600.0
"""The longest wait that a provider's Retry-After can ask of us."""

State = Literal["closed", "open", "half_open"]
Sign = Literal["well", "ill", "unheard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """`failures`: in a row. `tripped`: too many; only a probe's success ends it. `until`: nothing is sent before, by us or by its wish."""

    failures: int = 0
    tripped: bool = False
    openings: int = 0
    until: float = float("-inf")
    probing: bool = False


def state(breaker: Breaker, now: float) -> State:
    """Closed: all may go. Open: nothing may. Half-open: one probe at a time."""
    if now < breaker.until:
        return "open"
    return "half_open" if breaker.tripped else "closed"


def room(breaker: Breaker, now: float, free: int) -> int:
    """How many of `free` slots may be used now."""
    match state(breaker, now):
        case "closed":
            return free
        case "half_open":
            return 0 if breaker.probing else min(free, 1)
        case "open":
            return 0


def begin(breaker: Breaker, now: float) -> tuple[Breaker, bool]:
    """A send begins; whether it is the probe."""
    probe = state(breaker, now) == "half_open"
    return (replace(breaker, probing=True) if probe else breaker), probe


def hear(breaker: Breaker, answer: Answer | None, now: float, *, probe: bool) -> Breaker:
    """After a send's answer (None: it was not called after all). Once it is tripped, only the probe's answer says anything about it."""
    wait = min(answer.retry_after_seconds or 0.0, PAUSE_SECONDS_MAX) if isinstance(answer, Refused) else 0.0
    heard = replace(breaker, until=max(breaker.until, now + wait)) if wait else breaker
    if probe:
        heard = replace(heard, probing=False)
    if heard.tripped and not probe:
        return heard
    match sign(answer):
        case "unheard":
            return heard
        case "well":
            return Breaker(until=heard.until)
        case "ill":
            return _failed(heard, now)


def sign(answer: Answer | None) -> Sign:
    """What an answer says of the provider's health: whoever refuses a contact is well."""
    if answer is None:
        return "unheard"
    return "well" if isinstance(answer, Accepted) or (isinstance(answer, Refused) and not answer.down) else "ill"


def _failed(breaker: Breaker, now: float) -> Breaker:
    failed = replace(breaker, failures=breaker.failures + 1)
    if not failed.tripped and failed.failures < FAILURES_MAX:
        return failed
    shut = min(OPEN_SECONDS * 2**failed.openings, OPEN_SECONDS_MAX)
    return replace(failed, tripped=True, openings=failed.openings + 1, until=max(failed.until, now + shut))
