"""The life of a campaign: draft, published, paused, ended; which verb leads where, what becomes of people in flight, who may publish."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from nextwave_orchestrator.assembly import CampaignRow
from nextwave_orchestrator.campaigns.definition import Campaign, Policy
from nextwave_orchestrator.campaigns.lint import cost_max
from nextwave_orchestrator.catalogue import CampaignState

Verb = Literal["publish", "pause", "resume", "end", "migrate", "drain"]

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
    ("migrate", "published"): "published",
    ("migrate", "paused"): "paused",
    ("drain", "published"): "published",
    ("drain", "paused"): "paused",
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


def follow(verb: Verb, row: CampaignRow) -> CampaignRow:
    """The campaign after the verb; publishing adds the version itself. Raises `ImpossibleError`.

    Resuming undoes the pause, or where it is not paused, the drain.
    """
    state = next_state(verb, row.state)
    match verb:
        case "drain":
            return row._replace(drains=True)
        case "migrate":
            return row._replace(migrates_to=row.version)
        case "publish":
            return row._replace(state=state, drains=False)
        case "resume" if row.state == state:
            return row._replace(drains=False)
        case _:
            return row._replace(state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an editor may publish alone: a budget (minor units) and an audience (customers) up to these."""

    budget_max: int
    audience_max: int


def too_large(campaign: Campaign, policy: Policy, limits: Limits, audience: int | None) -> str:
    """Why only an approver may publish this, empty where an editor may."""
    if cost_max(campaign, policy) > 0:
        if campaign.budget is None:
            return "paid contacts without a budget"
        if campaign.budget.amount > limits.budget_max:
            return f"a budget of {campaign.budget.amount} minor units, of which an editor publishes {limits.budget_max}"
    return too_many(limits, audience)


def too_many(limits: Limits, audience: int | None) -> str:
    """Why only an approver may let a campaign reach this audience, empty where an editor may. None: it is not known."""
    if audience is None:
        return "an audience that was changed while it was counted"
    if audience > limits.audience_max:
        return f"an audience of about {audience} customers, of which an editor publishes {limits.audience_max}"
    return ""


def may_publish(roles: Collection[str], large: str) -> bool:
    """An approver publishes anything; an editor what is not too large."""
    return "approver" in roles or ("editor" in roles and not large)
