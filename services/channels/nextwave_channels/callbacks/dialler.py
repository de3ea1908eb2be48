"""What a dialler tells of the calls on its lists: Standard Webhooks of the types `call.started`, `call.answered` and `call.ended`.

The data are `{"reference", "entry_id", "outcome", "answered_by"}`: `reference` is our action, `outcome` how the call ended (answered,
abandoned, no_answer, busy, refused, opted_out, failed, expired), `answered_by` what picked up (human, or machine... and fax).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from nextwave_contracts.outcomes import OutcomeKind

from nextwave_channels.call_lists.entry import ABANDONED
from nextwave_channels.callbacks.evidence import Evidence, Posted, in_words
from nextwave_channels.callbacks.standard import signed

OUTCOMES: Mapping[str, OutcomeKind] = {
    "answered": "answered",
    "abandoned": "no_answer",
    "no_answer": "no_answer",
    "busy": "busy",
    "refused": "refused",
    "opted_out": "refused",
    "failed": "failed",
    "expired": "failed",
}


class Data(msgspec.Struct):
    """About which call, and how it ended."""

    reference: str = ""
    entry_id: str = ""
    outcome: str = ""
    answered_by: str = ""


class Event(msgspec.Struct):
    """The body."""

    type: str
    data: Data


@dataclass(frozen=True, slots=True)
class DiallerCallbacks:
    """`secrets`: `whsec_` and base64."""

    secrets: tuple[str, ...]
    body_max: int = 65_536

    async def read(self, posted: Posted) -> Sequence[Evidence | None]:
        """See `Provider`."""
        return [of_event(signed(posted, self.secrets, Event), posted.headers["webhook-id"])]


def of_event(event: Event, event_id: str) -> Evidence | None:
    """The evidence of one event; None for other types and outcomes."""
    kind = _kind(event)
    if kind is None:
        return None
    return Evidence(
        event_id=f"dialler\0{event_id}",
        kind=kind,
        action_id=event.data.reference[:256],
        effect="opted_out" if event.data.outcome == "opted_out" else "",
        channel="call",
        detail=_detail(event),
    )


def _kind(event: Event) -> OutcomeKind | None:
    match event.type:
        case "call.started":
            return "accepted"
        case "call.answered":
            return "delivered"
        case "call.ended":
            kind = OUTCOMES.get(event.data.outcome)
            return "no_answer" if kind == "answered" and event.data.answered_by.startswith(("machine", "fax")) else kind
    return None


def _detail(event: Event) -> str:
    words = {"abandoned": f"{ABANDONED}: no agent was free", "expired": "not called in time"}
    plain = in_words(event.data.outcome, event.data.answered_by)
    return "dialler" if event.type != "call.ended" else words.get(event.data.outcome, plain)
