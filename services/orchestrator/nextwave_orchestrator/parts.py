"""The parts of the arbiter's formula: named functions in one table, of which the policy chooses; a house adds its own as one line more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from nextwave_contracts.customers import Snapshot

from nextwave_orchestrator.campaigns.definition import Campaign, Policy
from nextwave_orchestrator.responses.rates import Rate


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a part may look at: a customer, a campaign, one of its channels at an instant, and how such contacts were answered."""

    profile: Snapshot
    campaign: Campaign
    policy: Policy
    channel: str
    at: datetime
    learned: Rate


Part = Callable[[Appeal], float]


def learned_response(appeal: Appeal) -> float:
    """The share of contacts in this segment, by this channel, at this local hour that was answered, shrunk to the policy's, 0..1."""
    return appeal.learned.mean


def assumed_response(appeal: Appeal) -> float:
    """The share of contacts on this channel that the policy says is answered, 0..1."""
    return appeal.policy.response_rates.get(appeal.channel, 0.0)


def goal_value(appeal: Appeal) -> float:
    """What the campaign's goal is worth, minor units."""
    return float(appeal.campaign.goal.value)


def value_at_risk(appeal: Appeal) -> float:
    """The goal's worth as far as the customer would be lost without it: times churn risk, minor units."""
    return appeal.campaign.goal.value * appeal.profile.churn.risk


def weight_of_customer(appeal: Appeal) -> float:
    """The product of the weights that the policy's `context` gives to the customer's risk band, stage and value cell; 1 where none."""
    profile, weights = appeal.profile, appeal.policy.context
    found = {"churn.band": profile.churn.band, "stage": profile.stage, "value.cell": profile.value.cell}
    weight = 1.0
    for name, value in found.items():
        weight *= weights.get(name, {}).get(str(value), 1.0)
    return weight


def lever_of_campaign(appeal: Appeal) -> float:
    """How much the owner weighs the campaign."""
    return appeal.campaign.lever


def cost_of_channel(appeal: Appeal) -> float:
    """The full cost of one contact, minor units."""
    return float(appeal.policy.channel_costs.get(appeal.channel, 0))


def even(_appeal: Appeal) -> float:
    """The same for all."""
    return 1.0


PARTS: Mapping[str, Mapping[str, Part]] = {
    "response": {"learned": learned_response, "assumed": assumed_response},
    "value": {"goal": goal_value, "at_risk": value_at_risk},
    "context": {"customer": weight_of_customer, "even": even},
    "lever": {"campaign": lever_of_campaign, "even": even},
    "cost": {"channel": cost_of_channel},
}
"""For each part its functions by name; the first is taken where the policy's `score` names none."""


def part(name: str, appeal: Appeal) -> float:
    """The part's number by the function that the policy chose."""
    functions = PARTS[name]
    chosen = functions.get(appeal.policy.score.get(name, ""))
    return (chosen or next(iter(functions.values())))(appeal)
