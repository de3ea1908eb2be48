"""Counts again from outside: funnel, reasons, latency, from the evidence alone. PURE."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec
from nextwave_contracts.decisions import Result

from nextwave_local.demo.evidence import Evidence, Name

Place = tuple[str, str, str, str]
"""Campaign, wave, segment, channel."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """From a touchpoint standing on its topic to the contact it directly caused standing on its own; wall milliseconds."""

    p50: float
    p99: float
    maximum: float
    samples: int


class FunnelRow(msgspec.Struct, frozen=True, kw_only=True):
    """One wave, segment and channel: contacts sent, what became of them (a contact once per kind), waves answered."""

    campaign: str
    wave: str
    segment: str
    channel: str
    sent: int
    became: dict[str, int]
    responded: int


def latency(evidence: Evidence) -> Latency:
    """Only of contacts whose decision names a touchpoint as its cause: others waited for an hour, a window or a cap, as they should."""
    first: dict[str, float] = {}
    for (_, name), at in evidence.touchpoints.items():
        first[name] = min(at, first.get(name, at))
    spans = []
    for at, contact in evidence.contacts.values():
        decision = evidence.decisions.get(contact.decision_id)
        caused_at = first.get(decision.caused_by) if decision else None
        if caused_at is not None:
            spans.append(at - caused_at)
    spans.sort()
    return Latency(p50=quantile(spans, 0.5), p99=quantile(spans, 0.99), maximum=spans[-1] if spans else 0.0, samples=len(spans))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0 when there are none."""
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)] if ordered else 0.0


def results(evidence: Evidence) -> Mapping[Result, int]:
    """How many candidates were acted on, deferred, withheld."""
    counts: Counter[Result] = Counter(decision.result for decision in evidence.decisions.values())
    return {result: counts[result] for result in ("act", "defer", "withhold")}


def reasons(evidence: Evidence) -> dict[str, dict[str, int]]:
    """Gate codes of what was not sent: by result, then by code, the most frequent first."""
    counts: dict[str, Counter[str]] = {"defer": Counter(), "withhold": Counter()}
    for decision in evidence.decisions.values():
        if decision.result != "act":
            counts[decision.result][decision.reason] += 1
    return {result: dict(codes.most_common()) for result, codes in counts.items()}


def outcome_counts(evidence: Evidence) -> dict[str, int]:
    """Outcomes by kind, the most frequent first."""
    return dict(Counter(outcome.kind for outcome in evidence.outcomes.values()).most_common())


def funnel(evidence: Evidence) -> list[FunnelRow]:
    """By campaign, wave, segment and channel."""
    sent: Counter[Place] = Counter()
    became: dict[Place, Counter[str]] = defaultdict(Counter)
    place_of: dict[str, Place] = {}
    for _, contact in evidence.contacts.values():
        place_of[contact.action_id] = place = (contact.campaign, contact.wave, contact.segment, contact.channel)
        sent[place] += 1
    for action_id, kind in {*((outcome.action_id, outcome.kind) for outcome in evidence.outcomes.values()), *evidence.answers}:
        if action_id in place_of:
            became[place_of[action_id]][kind] += 1
    responded = Counter((w.campaign, w.wave, w.segment, w.channel) for w in evidence.waves if w.responded)
    return [
        FunnelRow(
            campaign=place[0],
            wave=place[1],
            segment=place[2],
            channel=place[3],
            sent=count,
            became=dict(became[place].most_common()),
            responded=responded[place],
        )
        for place, count in sorted(sent.items())
    ]


def dispatched_twice(evidence: Evidence) -> int:
    """Actions that a provider took on itself more than once."""
    return sum(count > 1 for count in evidence.dispatches.values())


def lost(evidence: Evidence, accepted: set[Name]) -> int:
    """Touchpoints that a door accepted and scoring has not taken in."""
    return len(accepted - evidence.taken.keys())
