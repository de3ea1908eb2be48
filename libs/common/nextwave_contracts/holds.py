"""`nextwave.holds.v1`, the express lane: every opt-out and complaint and their lifting, so that a stop never waits behind a backlog."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from nextwave_contracts.wire import Message

HoldKind = Literal["opt_out", "opt_in", "complaint", "complaint_lifted"]


class Hold(Message, frozen=True, kw_only=True):
    """A stop, or its lifting. It carries keyed hashes of the customer's identifiers, never the identifiers.

    `channel` or `purpose` empty means all. A complaint stops every purpose but recovery, transactional and service.
    """

    id: str
    source: str
    kind: HoldKind
    subjects: tuple[str, ...]
    at: datetime
    """When it was said, by its source's clock. A stop counts from then or from the broker's stamp, whichever is later; its lifting from
    whichever is earlier. So no wrong clock of a source or door can date a stop before the grant that it takes back, or a grant after it."""
    channel: str = ""
    purpose: str = ""
    reference: str = ""
