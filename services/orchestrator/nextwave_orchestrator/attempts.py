"""Several attempts at one call are one contact: it takes one place in the caps, from the last of them on, and is missed after it."""

from __future__ import annotations

from datetime import datetime

from nextwave_orchestrator.campaigns.definition import Step
from nextwave_orchestrator.catalogue import LiveCampaign, LiveWave
from nextwave_orchestrator.state import Run

UNANSWERED: frozenset[str] = frozenset({"no_answer", "busy"})
"""Outcomes of a call after which it is tried again."""


def step_of(wave: LiveWave, run: Run) -> Step | None:
    """The step by which the wave's contact went; None where the version to which the run went over has no such step."""
    steps = (wave.enter_on[run.branch],) if run.branch in wave.enter_on else dict(wave.mixes).get(run.segment, ())
    found = steps[run.step] if run.step < len(steps) else None
    return found if found is not None and found.channel == run.channel else None


def next_attempt_at(campaign: LiveCampaign, run: Run, unanswered_at: datetime) -> datetime | None:
    """When the contact that was not answered then is tried again: `spacing` later, if there are attempts left within the window."""
    wave = next(w for w in campaign.waves if w.key == run.wave)
    step = step_of(wave, run)
    if step is None or max(run.attempt, 1) >= step.attempts:
        return None
    due = unanswered_at + campaign.spacing(step.spacing)
    return due if due < run.closes_at else None
