"""Who should have won: scores computed anew from the owners' documents, places in caps counted anew, rivals looked up in what was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nextwave_contracts.decisions import Decision, Rival, RunEnded, WaveClosed
from unit.simulation.checker.caps import Counted, span
from unit.simulation.history import Rules, Step

OWED = frozenset({"service", "recovery", "transactional"})
ANSWERED = {"email": 0.05, "sms": 0.08}
"""The shipped share of contacts that are answered; nothing is learned in a simulated life."""

Rank = tuple[bool, float, int, str, str]


class Ranking:
    """Follows the steps, with the contacts that were counted for caps."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._last: dict[str, Decision] = {}

    def follow(self, step: Step) -> None:
        """Takes in what a step said, after it was checked."""
        for message in step.said:
            if isinstance(message, Decision):
                self._last[message.run_id] = message
            elif isinstance(message, WaveClosed | RunEnded):
                self._last.pop(message.run_id, None)

    def faults(self, decision: Decision, step: Step, rules: Rules) -> Iterator[str]:
        """Every fault of the ranking of one decision, when those before it in the step were counted."""
        ahead = [rival for rival in decision.rivals if rival.ahead]
        if decision.at > step.now:
            yield "decides for a time to come"
        for rival in decision.rivals:
            wanted = _score(rules, rival)
            if abs(rival.score - wanted) > 1e-6:
                yield f"scores {rival.campaign} {rival.score} instead of {wanted}"
            if rival.ahead and _rank(rules, rival) > _rank(rules, decision):
                yield f"yields to {rival.campaign}, which is worth less"
            if rival.ahead and not self._comes(rival, step):
                yield f"yields to {rival.campaign}, which does not come at {rival.at}"
        if decision.reason == "outranked":
            if decision.purpose in OWED:
                yield "what is owed was outranked"
            if not any(self._is_full(cap, decision, ahead) for cap in rules.policy["caps"]):
                yield "outranked is not so"
        if decision.result == "act":
            yield from self._passed_over(decision, step, rules)

    def _comes(self, rival: Rival, step: Step) -> bool:
        """Whether it acts in this step, or was put off, to that instant at the latest."""
        said = [m for m in step.said if isinstance(m, Decision) and m.run_id == rival.run_id]
        last = said[-1] if said else self._last.get(rival.run_id)
        return last is not None and (last.result == "act" if last.until is None else last.until <= rival.at)

    def _is_full(self, cap: Mapping[str, Any], decision: Decision, ahead: Sequence[Rival]) -> bool:
        """Whether some window around the decision has no place left beside contacts, and those ahead that are still to come."""
        if not self._counted.covers(cap, decision):
            return False
        per, now = span(cap["per"]), decision.at
        coming = [rival.at for rival in ahead if rival.at > now and self._counted.covers(cap, rival)]
        made = [contact.decided_at for contact in self._counted.of(cap, decision)]
        ends = [now, *(at for at in coming if at < now + per)]
        return any(sum(end - per < at <= end for at in (*made, *coming)) >= cap["most"] for end in ends)

    def _passed_over(self, winner: Decision, step: Step, rules: Rules) -> Iterator[str]:
        """Somebody who wanted the same channel for the same purpose in the same moment, was outranked, and is worth more."""
        for loser in (m for m in step.said if isinstance(m, Decision) and m.reason == "outranked"):
            same = (loser.customer_id, loser.channel, loser.purpose) == (winner.customer_id, winner.channel, winner.purpose)
            if same and winner.purpose not in OWED and _rank(rules, loser) < _rank(rules, winner):
                yield f"wins over {loser.campaign}, which is worth more"


def _score(rules: Rules, one: Rival | Decision) -> float:
    document = rules.campaigns[one.campaign, rules.live.get(one.campaign, 1)]
    value, lever = document["goal"]["value"], document.get("lever", 1.0)
    return float(ANSWERED[one.channel] * value * lever - rules.policy["channel_costs"].get(one.channel, 0))


def _rank(rules: Rules, one: Rival | Decision) -> Rank:
    document = rules.campaigns[one.campaign, rules.live.get(one.campaign, 1)]
    return one.purpose not in OWED, -_score(rules, one), document.get("priority", 100), one.campaign, one.run_id
