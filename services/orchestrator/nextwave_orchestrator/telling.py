"""A decision in words, for people who ask why, and why not, and do not read its record."""

from __future__ import annotations

from nextwave_contracts.decisions import Attempt, Decision

RESULTS = {"act": "Contacted", "defer": "Put off", "withhold": "Not contacted"}


def decision_in_words(decision: Decision) -> str:
    """One or two sentences: `Not contacted in wave tell of winter: no_consent. Tried email: no_consent (a withdrawal is newest).`."""
    if decision.test:
        return f"A test of a template, by {decision.channel}: nobody was contacted."
    until = f" until {decision.until.isoformat()}" if decision.until else ""
    by = f" by {decision.channel}" if decision.result == "act" else ""
    whom = f", as one of {decision.segment}" if decision.segment not in {"", "*"} else ""
    told = f"{RESULTS[decision.result]}{by}{until} in wave {decision.wave} of {decision.campaign}{whom}: {decision.reason}."
    tried = ", ".join(_attempt(attempt) for attempt in decision.attempts)
    return told + (f" Tried {tried}." if tried else "")


def _attempt(attempt: Attempt) -> str:
    failed = next((check.detail for check in attempt.checks if not check.passed and check.detail), "")
    return f"{attempt.channel}: {attempt.code}" + (f" ({failed})" if failed else "")
