"""Outcomes that a wave waits for and that none of its channels can report: nobody would ever answer, or be told apart."""

from __future__ import annotations

from collections.abc import Iterator

from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.outcomes import REACH

from nextwave_orchestrator.campaigns.checks import steps_of
from nextwave_orchestrator.campaigns.definition import Campaign, Wave
from nextwave_orchestrator.campaigns.findings import Finding, warning
from nextwave_orchestrator.rules.responses import read_response

_OUTCOME = "outcome."


def unheard(campaign: Campaign) -> Iterator[Finding]:
    """Responses and branches of a checked campaign that nothing which the channels report leads to."""
    earlier: dict[str, Wave] = {}
    for n, wave in enumerate(campaign.waves):
        at = f"/waves/{n}"
        reported = reported_by(wave)
        asked = [test.type.removeprefix(_OUTCOME) for test in read_response(wave.response) if test.type.startswith(_OUTCOME)]
        for kind in asked:
            if kind not in reported and reported:
                fix = f"ask for one of {', '.join(sorted(reported))}, or use a channel that reports it"
                yield warning("never_reported", at + "/response", f"no channel of wave {wave.key!r} ever reports {kind!r}", fix)
        before = earlier.get(wave.enter.after) if wave.enter else None
        if wave.enter is not None and before is not None:
            yield from _branches(wave, before, at + "/enter/on")
        earlier[wave.key] = wave


def reported_by(wave: Wave) -> frozenset[str]:
    """Every outcome that one of the wave's channels can report."""
    return frozenset(kind for _, step in steps_of(wave, "") for kind in CHANNELS[step.channel].reports)


def _branches(wave: Wave, before: Wave, at: str) -> Iterator[Finding]:
    ends = {REACH[kind] for kind in reported_by(before)}
    for reach in wave.enter.on if wave.enter else ():
        if ends and reach not in ends:
            fix = f"leave it out, or let wave {before.key!r} use a channel that reports it"
            yield warning("never_reported", f"{at}/{reach}", f"no channel of wave {before.key!r} ever tells that it {reach}", fix)
