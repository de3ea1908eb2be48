"""`nextwave.redriven.v1`: which rejected records were sent on their way again, so that nobody does it twice without knowing."""

from __future__ import annotations

from nextwave_contracts.wire import Instant, Message


class Redriven(Message, frozen=True, kw_only=True):
    """One record was redriven; of several of one record the newest counts. To redrive it again is harmless."""

    id: str
    """`partition-offset` of the record on `nextwave.rejected.v1`."""
    at: Instant
    by: str
    """The name of the operator's key."""
    touchpoints: int
    """Sent on their way; 0: its mapping ignores it today."""
