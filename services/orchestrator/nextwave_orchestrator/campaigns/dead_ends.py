"""Waves that nobody reaches, and mixes that nobody gets: what is written in a campaign and could never happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from nextwave_orchestrator.campaigns.definition import Campaign, Enter, Segment, Wave
from nextwave_orchestrator.campaigns.findings import Finding, error, warning
from nextwave_orchestrator.rules.contradiction import Judge
from nextwave_orchestrator.rules.parse import read_rule
from nextwave_orchestrator.rules.tree import Rule

REACHED = ("", "reached", "missed", "failed", "refused")
"""How a wave's contact may have ended; empty: there was none."""
ENDINGS = frozenset((responded, reach) for responded, reach in product((True, False), REACHED) if not (responded and reach == "refused"))
"""All ways in which a wave closes: `(responded, reach)`. A refusal is no response."""


def hidden_waves(waves: tuple[Wave, ...]) -> Iterator[Finding]:
    """Waves of whose condition the waves before them leave nothing, since the first whose condition holds is entered."""
    taken: dict[str, set[tuple[bool, str]]] = {}
    for n, wave in enumerate(waves):
        if wave.enter is None:
            continue
        before = taken.setdefault(wave.enter.after, set())
        mine = {ending for ending in ENDINGS if _enters(wave.enter, *ending)}
        if mine <= before:
            detail = f"everybody who could enter wave {wave.key!r} enters an earlier wave after {wave.enter.after!r}"
            yield error("unreachable", f"/waves/{n}/enter", detail, "give the waves after one wave conditions that exclude each other")
        before |= mine


def _enters(enter: Enter, responded: bool, reach: str) -> bool:
    if enter.on:
        return not responded and reach in enter.on
    return reach != "refused" and not (enter.unless == "responded" and responded)


def dead_segments(campaign: Campaign, segments: Mapping[str, Segment]) -> Iterator[Finding]:
    """Segments that nobody can be in, and mixes whose customers all belong to a mix that comes before by the segments' priority."""
    named = set(_named(campaign))
    rules = {key: read_rule(segment.rule, "/rule") for key, segment in segments.items() if key in named}
    judge = Judge()
    dead = {key for key, rule in rules.items() if judge.never_together([(rule, True)])}
    audience = campaign.entry.audience.segment
    if audience in dead:
        detail = f"nobody can be in segment {audience!r}: its conditions exclude each other, so nobody ever enters"
        yield error("dead_segment", "/entry/audience/segment", detail, f"correct the rule of segment {audience!r}")
    for n, wave in enumerate(campaign.waves):
        asked = sorted({mix.segment for mix in wave.mixes if mix.segment in rules}, key=lambda key: (segments[key].priority, key))
        places = {mix.segment: f"/waves/{n}/mixes/{m}" for m, mix in reversed(list(enumerate(wave.mixes)))}
        for rank, key in enumerate(asked):
            if key in dead:
                detail = f"nobody can be in segment {key!r}: its conditions exclude each other"
                yield warning("dead_segment", places[key], detail, f"correct the rule of segment {key!r}")
            else:
                yield from _hidden_mix(asked[: rank + 1], places[key], rules, judge)


def _hidden_mix(asked: Sequence[str], at: str, rules: Mapping[str, Rule], judge: Judge) -> Iterator[Finding]:
    """Whether the last of these segments, asked in this order, has nobody for itself."""
    *before, key = asked
    if before and judge.never_together([(rules[key], True), *((rules[other], False) for other in before)]):
        detail = f"everybody in segment {key!r} is also in {' or '.join(before)}, asked before by priority, so this mix is never used"
        yield warning("hidden_mix", at, detail, f"give {key!r} a lower priority number, or leave the mix out")


def _named(campaign: Campaign) -> Iterator[str]:
    yield campaign.entry.audience.segment
    yield from (mix.segment for wave in campaign.waves for mix in wave.mixes)
