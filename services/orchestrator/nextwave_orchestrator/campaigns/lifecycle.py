"""The life of a campaign: draft, published, paused, ended; which verb leads where, and who may publish what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from nextwave_orchestrator.campaigns.definition import Campaign, Policy
from nextwave_orchestrator.campaigns.lint import cost_max
from nextwave_orchestrator.catalogue import CampaignState

Verb = Literal["publish", "pause", "resume", "end"]

_NEXT: Mapping[tuple[Verb, CampaignState], CampaignState] = {
    ("publish", "draft"): "published",
    ("publish", "published"): "published",
    ("publish", "paused"): "published",
    ("pause", "published"): "paused",
    ("pause", "paused"): "paused",
    ("resume", "paused"): "published",
    ("resume", "published"): "published",
    ("end", "published"): "ended",
    ("end", "paused"): "ended",
    ("end", "ended"): "ended",
}


class ImpossibleError(ValueError):
    """The verb does not apply in this state; the text says what does."""


def next_state(verb: Verb, state: CampaignState) -> CampaignState:
    """Where the verb leads; to the same state when it was already done. Raises `ImpossibleError`."""
    following = _NEXT.get((verb, state))
    if following is not None:
        return following
    possible = sorted(v for v, s in _NEXT if s == state and _NEXT[v, s] != state)
    raise ImpossibleError(
        f"cannot {verb} a campaign that is {state}; " + (f"possible: {', '.join(possible)}" if possible else "use a new key")
    )


def may_publish(campaign: Campaign, policy: Policy, roles: Collection[str], editor_budget_max: int) -> bool:
    """An approver publishes anything; an editor what cannot spend more than `editor_budget_max` (minor units)."""
    if "approver" in roles:
        return True
    is_small = cost_max(campaign, policy) == 0 or (campaign.budget is not None and campaign.budget.amount <= editor_budget_max)
    return "editor" in roles and is_small
