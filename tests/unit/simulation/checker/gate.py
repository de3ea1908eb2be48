"""Checks every decision: what acts was permitted by all that was known, what did not had its reason, and each is exactly one of three."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import Decision
from nextwave_contracts.identifiers import blind
from unit.simulation.checker import facts
from unit.simulation.checker.caps import Counted, span
from unit.simulation.checker.facts import Heard
from unit.simulation.checker.hours import may_text
from unit.simulation.checker.knowledge import Knowledge
from unit.simulation.checker.ranking import Ranking
from unit.simulation.history import Rules, Step

SELLING = frozenset({"marketing", "care"})
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)
KIND_OF_ADDRESS = {"email": "email", "sms": "phone"}


class Gate:
    """Goes through the steps once. `key` is the secret of the hashed names in contacts."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._knowledge = Knowledge()
        self._counted = Counted()
        self._ranking = Ranking(self._counted)
        self._decided: set[str] = set()

    def faults(self, steps: Sequence[Step]) -> Iterator[str]:
        """Every fault of a decision."""
        for step in steps:
            self._knowledge.follow(step)
            self._counted.follow(step, self._knowledge.rules)
            if step.place != "orchestrator":
                continue
            contacts = {message.action_id: message for message in step.said if isinstance(message, Contact)}
            for decision in (message for message in step.said if isinstance(message, Decision)):
                ranked = self._ranking.faults(decision, step, self._knowledge.rules)
                found = (*ranked, *self._of(decision, contacts.pop(decision.action_id, None)))
                yield from (f"{fault}: {_label(decision)}" for fault in found)
            self._ranking.follow(step)
            yield from (f"{name} was decided by nobody" for name in contacts)

    def _of(self, decision: Decision, contact: Contact | None) -> Iterator[str]:
        if decision.decision_id in self._decided:
            yield "decided twice"
        self._decided.add(decision.decision_id)
        is_act, is_defer = decision.result == "act", decision.result == "defer"
        if (decision.reason == "permitted") != is_act or (decision.until is not None) != is_defer or (contact is not None) != is_act:
            yield "result, reason, time and contact do not go together"
        heard, rules = self._knowledge.of(decision.customer_id), self._knowledge.rules
        if contact is not None:
            yield from self._of_act(decision, contact, heard, rules)
            self._counted.decided(contact)
        elif self._reason(decision, heard, rules) is False:
            yield f"{decision.reason} is not so"

    def _of_act(self, decision: Decision, contact: Contact, heard: Heard, rules: Rules) -> Iterator[str]:
        for code in ("campaign_stopped", "holdout", "no_consent", "complaint_open", "unsatisfied", "hours", "cap"):
            if self._fails(code, decision, heard, rules):
                yield f"acts in spite of {code}"
        if facts.address(heard, KIND_OF_ADDRESS[decision.channel]) != contact.address:
            yield f"goes to {contact.address}"
        given = {blind(name, self._key) for name in facts.names(heard)}
        if not given <= set(contact.subjects):
            yield "leaves out a name by which a stop can mean it"
        home = facts.home(heard)
        for span_ in contact.permitted if decision.channel == "sms" and decision.purpose != "transactional" else ():
            ends = (span_.start, span_.end - INSTANT, span_.start + (span_.end - span_.start) / 2)
            if span_.end > contact.not_after or not all(may_text(home, contact.address, at) for at in ends):
                yield f"permits {span_}"

    def _reason(self, decision: Decision, heard: Heard, rules: Rules) -> bool | None:
        """Whether the reason holds; None where it is not recomputed: a merge may be stricter than it must."""
        if decision.reason in {"no_consent", "complaint_open", "unsatisfied"} and facts.has_merged(heard):
            return None
        holds = self._fails(decision.reason, decision, heard, rules)
        if decision.reason == "hours" and decision.until is not None:
            home, phone = facts.home(heard), facts.address(heard, "phone")
            return holds and may_text(home, phone, decision.until) and not may_text(home, phone, decision.until - SECOND)
        return holds

    def _fails(self, code: str, decision: Decision, heard: Heard, rules: Rules) -> bool | None:
        """Whether this check of the gate fails for the decision's channel, by all that was known; None for one that is not recomputed."""
        channel, purpose = decision.channel, decision.purpose
        words = facts.consent(heard, channel, purpose)
        phone = facts.address(heard, "phone")
        checks: dict[str, Callable[[], bool]] = {
            "campaign_stopped": lambda: rules.states[decision.campaign] != "published",
            "holdout": lambda: held_out(rules, decision),
            "no_consent": lambda: facts.is_stopped(words) or (purpose == "marketing" and words[0] == facts.NEVER),
            "complaint_open": lambda: purpose in SELLING and bool(facts.open_complaints(heard)),
            "unsatisfied": lambda: purpose == "marketing" and facts.is_stopped(facts.satisfaction(heard)),
            "hours": lambda: channel == "sms" and not may_text(facts.home(heard), phone, decision.at),
            "cap": lambda: self._is_full(decision, heard, rules),
            "no_address": lambda: not facts.address(heard, KIND_OF_ADDRESS[channel]),
        }
        return checks[code]() if code in checks else None

    def _is_full(self, decision: Decision, heard: Heard, rules: Rules) -> bool:
        policy, purpose = rules.policy, decision.purpose
        rests = [facts.refused_at(heard, decision.channel) + span(policy["after_refusal"])] if purpose in SELLING else []
        if purpose == "marketing":
            rests += [facts.complained_at(heard) + span(policy["after_complaint"]), facts.came_at(heard) + span(policy["after_contact"])]
        return any(until > decision.at for until in rests) or bool(self._counted.full(policy, decision, decision.at))


def held_out(rules: Rules, decision: Decision) -> bool:
    """Drawn by a salted hash over the customer, in the house and in the campaign."""
    shares = {decision.campaign: rules.campaigns[decision.campaign, decision.version].get("holdout", 0.0)}
    if decision.purpose in SELLING:
        shares["*"] = rules.policy["global_holdout"]
    return any(share > 0 and _draw(scope, decision.customer_id) < share for scope, share in shares.items())


def _draw(scope: str, customer: str) -> float:
    digest = hashlib.sha256(f"nextwave\0{scope}\0{customer}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _label(decision: Decision) -> str:
    what = f"{decision.result} {decision.campaign}/{decision.wave} by {decision.channel}"
    return f"{what} for {decision.customer_id} at {decision.at} ({decision.decision_id})"
