"""How fast each channel may go: its own numbers, so that a slow provider delays only itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

IDLE_SECONDS_MIN = 0.01
IDLE_SECONDS_MAX = 0.25
RECORD_SECONDS = 15.0
"""A lease goes on so long after the deadline of its send: recording the answer is tried again while the database is away."""
BEGIN_SECONDS = 0.2
"""From a claim's last look at the clock until its send begins: a commit, and the loop's turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`concurrency`: sends under way at once, in one replica. `deadline_seconds`: for one send. `lease_seconds`: then it counts as lost.

    `fresh_seconds`: so long after the question for new stops (before its claim) a send may still begin; nothing is checked again. A stop
    takes effect within a second, so this is less, and leaves the rest to the provider's line.
    """

    concurrency: int
    deadline_seconds: float = 15.0
    lease_seconds: float = 30.0
    fresh_seconds: float = 0.8

    def claim_seconds(self, unread: int) -> float:
        """How much of `fresh_seconds` a claim may use: all but what beginning the send takes, or half to wait for `unread` stops."""
        return self.fresh_seconds / 2 if unread else self.fresh_seconds - BEGIN_SECONDS


PACES: Mapping[str, Pace] = {
    "email": Pace(concurrency=16),
    "sms": Pace(concurrency=16),
    "call": Pace(concurrency=8),
    "webpush": Pace(concurrency=32),
    "onsite": Pace(concurrency=1),
    **dict.fromkeys(("webhook", "chat", "letter"), Pace(concurrency=8)),
}


def idle_seconds(waited: float, until_due: float | None, now: float) -> float:
    """Wall seconds to wait after nothing was found: twice as long as before, but not past the next due instant (`until_due` away).

    Loops that are idle for long wake at the same instants (`now`: steady seconds, the same for all), so that they can ask together.
    """
    longer = max(waited * 2, IDLE_SECONDS_MIN)
    if longer > IDLE_SECONDS_MAX:
        left = IDLE_SECONDS_MAX - now % IDLE_SECONDS_MAX
        longer = left if left > IDLE_SECONDS_MAX / 2 else left + IDLE_SECONDS_MAX
    return longer if until_due is None else min(longer, max(until_due, IDLE_SECONDS_MIN))
