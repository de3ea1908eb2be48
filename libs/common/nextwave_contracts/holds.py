"""`nextwave.holds.v1`, the express lane: opt-outs, complaints, possible refusals, their lifting, so that no stop waits behind a backlog."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from nextwave_contracts.wire import Message

COMPLAINT_HOLDS_FOR = timedelta(days=180)
"""A complaint that nobody closes holds contacts back for so long, and no longer: after half a year it is a ticket that was forgotten."""

HoldKind = Literal["opt_out", "opt_in", "complaint", "complaint_lifted", "review", "review_lifted"]


class Hold(Message, frozen=True, kw_only=True):
    """A stop, or its lifting. It carries keyed hashes of the customer's identifiers, never the identifiers.

    `channel` or `purpose` empty means all. A complaint stops every purpose but recovery, transactional and service. A review (words that
    may be a refusal, which somebody has yet to read) stops every purpose but transactional and service on its channel, until the review of
    the same `reference` is lifted. An opt-out that has a `reference` is the verdict on that review.
    """

    id: str
    source: str
    kind: HoldKind
    subjects: tuple[str, ...]
    at: datetime
    """A stop's own time or that of the door which received it, whichever is later; of a lifting whichever is earlier. Readers take the
    later or earlier one of this and the broker's stamp, too, so that no wrong clock of a source or door can date a stop before the grant
    that it takes back, or a grant after it."""
    channel: str = ""
    purpose: str = ""
    reference: str = ""
    reason: str = ""
    """Why, for whoever asks later: the type of the touchpoint, and the reason that it gave, without addresses."""
    confirm_by: datetime | None = None
    """Until when the channels may confirm a stop to who said it by text, once; null: not at all. A door leaves it out where the provider
    confirms by itself."""
