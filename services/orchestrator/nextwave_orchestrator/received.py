"""What a run takes of what was received: whose it is, and what was read already when the run or its wave began."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nextwave_contracts.customers import CustomerUpdated

from nextwave_orchestrator.catalogue import Happening, LiveCampaign
from nextwave_orchestrator.rules.compile import value_at
from nextwave_orchestrator.state import TEXT_MAX, CustomerState, Run

CAME_BY: frozenset[str] = frozenset(
    {"call.offered", "call.answered", "call.abandoned", "message.left", "sms.received", "email.received", "chat.started"}
    | {"chat.message_received", "service.requested"}
)
"""Touchpoints by which a customer comes to us to be heard."""


def matter_of(campaign: LiveCampaign, happening: Happening) -> str | None:
    """Which order or ticket the event is about, by the entry's key field, as far as `TEXT_MAX`; None where it says nothing of it."""
    return _matter_in(campaign, happening.data)


def _matter_in(campaign: LiveCampaign, data: Mapping[str, Any]) -> str | None:
    field = campaign.definition.entry.key
    value = value_at(data, field, tuple(field.split(".")))
    return None if value is None else str(value)[:TEXT_MAX]


def entry_data(state: CustomerState, campaign: LiveCampaign, run: Run) -> Mapping[str, Any]:
    """What the event that let the customer in said, as far as it is remembered; nothing where no event did."""
    event = campaign.definition.entry.on.event
    same = (h.data for h in reversed(state.history) if h.type == event and h.received_at == run.entered_at)
    return next((data for data in same if not run.entry_key or _matter_in(campaign, data) == run.entry_key), {})


def is_same_matter(campaign: LiveCampaign, entry_key: str, happening: Happening) -> bool:
    """Whether the event is about the run's own order or ticket, as far as it says so; where that was not kept, it is about another."""
    field = campaign.definition.entry.key
    return not field or (not happening.is_lost(field) and matter_of(campaign, happening) in {None, entry_key})


def concerns(campaign: LiveCampaign, run: Run, happening: Happening) -> bool:
    """What names a contact concerns only the run that made it."""
    named = happening.data.get("action_id")
    return named in run.actions if named or happening.is_lost("action_id") else is_same_matter(campaign, run.entry_key, happening)


def received_since(state: CustomerState, campaign: LiveCampaign, run: Run, since: datetime) -> list[tuple[datetime, Happening]]:
    """What concerns the run and was received from `since` on, with that instant, in its order; as far as history reaches.

    It was read before the run or its wave began where the cause of that was late: an entry that lay in a slower partition, or a window
    whose end had to wait for one.
    """
    known = ((h.received_at, h) for h in state.history if h.received_at is not None and concerns(campaign, run, h))
    return sorted(((at, h) for at, h in known if at >= since), key=lambda one: one[0])


def came_at_by(message: CustomerUpdated) -> datetime | None:
    """When the customer came to us by this, if they did, and it is known when."""
    said = message.touchpoint
    return min(said.occurred_at, message.at) if said is not None and said.type in CAME_BY and not said.time_suspect else None
