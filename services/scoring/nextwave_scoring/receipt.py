"""A touchpoint as it was received, by the one clock that all doors share: the broker's. A door's own clock may have jumped. PURE."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace
from nextwave_contracts.touchpoints import AGE_MAX, Touchpoint

DOOR_OFF_MAX = timedelta(hours=12)
"""A door whose clock is further off than this cannot have judged times: it would call clients a day ahead or behind that are neither."""


def received(touchpoint: Touchpoint, appended_at: datetime) -> Touchpoint:
    """The touchpoint with `received_at` as the instant at which the broker appended it, and `time_suspect` judged by that.

    So whatever counts from its reception (a stop, what claims to be ahead) has the order of the log, whichever door it came by.
    Its age is judged anew, by the clock that makes it older, so that no import triggers a campaign; how far its client's clock was
    off only the door could see, and its word counts unless its own clock was off.
    """
    suspect = max(appended_at, touchpoint.received_at) - touchpoint.occurred_at > AGE_MAX or (
        touchpoint.time_suspect and abs(touchpoint.received_at - appended_at) <= DOOR_OFF_MAX
    )
    return replace(touchpoint, received_at=appended_at, time_suspect=suspect)
