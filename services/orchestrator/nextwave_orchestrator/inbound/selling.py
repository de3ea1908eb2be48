"""Selling as such, as a campaign that nobody wrote: what the gate says to it is whether anything may be sold at all."""

from __future__ import annotations

from typing import Final

import msgspec

from nextwave_orchestrator.campaigns.compile import compile_campaign
from nextwave_orchestrator.campaigns.definition import Campaign
from nextwave_orchestrator.catalogue import LiveCampaign

SELLING: Final[LiveCampaign] = compile_campaign(
    msgspec.convert(
        {
            "key": "selling",
            "owner": "house",
            "purpose": "marketing",
            "goal": {"event": "order.placed", "within": "1d"},
            "entry": {"on": {"event": "call.offered"}},
            "waves": [{"key": "now", "window": "1d"}],
        },
        type=Campaign,
    ),
    0,
    "published",
)
