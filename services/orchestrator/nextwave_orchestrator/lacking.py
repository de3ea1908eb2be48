"""Whose answer hangs on a lease that is short, though there may be more elsewhere, is put off until the partition has asked for it."""

from __future__ import annotations

from collections.abc import Sequence

from nextwave_contracts.decisions import Attempt
from nextwave_contracts.reasons import GateCode

from nextwave_orchestrator.allowances import uses
from nextwave_orchestrator.candidate import Candidate, GateInput
from nextwave_orchestrator.decisions import propose
from nextwave_orchestrator.turn import Turn

SHORT: frozenset[GateCode] = frozenset({"budget", "capacity"})


def lacks(turn: Turn, candidate: Candidate) -> bool:
    """Whether the candidate has to wait for a lease; what it lacks is asked for. The gate is only asked where something is scarce."""
    dearest = max(turn.catalogue.policy.channel_costs.values(), default=0)
    used = [uses(candidate.run.campaign, step.channel, step.list or step.team, dearest) for step in candidate.steps]
    if not any(turn.leases.is_scarce(scope, most) for each in used for scope, most in each.items()):
        return False
    proposal = propose(turn.catalogue, turn.state, candidate)
    return lacked(turn, proposal.given, proposal.judgement.attempts)


def lacked(turn: Turn, given: GateInput, attempts: Sequence[Attempt]) -> bool:
    """Whether a channel failed for what may be had elsewhere, in which case it is asked for."""
    short = [offer for offer, attempt in zip(given.offers, attempts, strict=False) if attempt.code in SHORT]
    waits = [turn.leases.puts_off(uses(given.campaign, offer.channel, offer.place, offer.cost)) for offer in short]
    return any(waits)
