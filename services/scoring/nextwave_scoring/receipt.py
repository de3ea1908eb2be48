"""A touchpoint as it was received, by the one clock that all doors share: the broker's. A door's own clock may have jumped. PURE."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace
from nextwave_contracts.touchpoints import AGE_MAX, Touchpoint

DOOR_OFF_MAX = timedelta(hours=12)
"""A door whose clock is further off than this cannot have judged times: it would call clients a day ahead or behind that are neither."""


def received(touchpoint: Touchpoint, appended_at: datetime) -> Touchpoint:
    """The touchpoint as received when the broker appended it: every instant and `time_suspect` are judged by that.

    So whatever counts from its reception (a stop, what claims to be ahead) has the order of the log, whichever door it came by.
    A time that the door measured is measured back from the append instead; one that the source claimed stays as it is. How far the
    client's clock was off only the door could see: its word counts unless its own clock was off.
    """
    claimed = touchpoint.occurred_at if touchpoint.claimed else appended_at - (touchpoint.received_at - touchpoint.occurred_at)
    occurred_at = min(claimed, appended_at)
    off = abs(touchpoint.received_at - appended_at) > DOOR_OFF_MAX
    suspect = appended_at - occurred_at > AGE_MAX or (touchpoint.time_suspect and not off)
    return replace(touchpoint, occurred_at=occurred_at, received_at=appended_at, time_suspect=suspect)
