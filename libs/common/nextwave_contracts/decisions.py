"""`nextwave.decisions.v1`: the record of every candidate, run and goal, readable by anyone."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from nextwave_contracts.reasons import GateCode, RunEnd
from nextwave_contracts.wire import Message

Result = Literal["act", "defer", "withhold"]
HoldoutOf = Literal["", "house", "campaign"]
"""Whose holdout a customer is in: nobody's, the house's (which comes first where it is both), or the campaign's."""


class Check(Message, frozen=True, kw_only=True):
    """One gate check as it came out, in gate order; `detail` says what was compared."""

    code: GateCode
    passed: bool
    detail: str = ""


class Attempt(Message, frozen=True, kw_only=True):
    """One channel of the mix that was tried."""

    channel: str
    code: GateCode
    checks: tuple[Check, ...] = ()
    score: float = 0.0
    """What this channel is worth by the arbiter's formula, minor units."""


class Rival(Message, frozen=True, kw_only=True):
    """Another candidate of the same customer, with the parts of its score: response x value x weight x lever - cost, minor units."""

    run_id: str
    campaign: str
    wave: str
    channel: str
    purpose: str
    at: datetime
    """When it would act, if it were alone."""
    priority: int
    response: float
    value: float
    weight: float
    lever: float
    cost: float
    score: float
    ahead: bool = False
    """Whether it takes one of the places in the caps, and ranks before this candidate."""


class Decision(Message, frozen=True, kw_only=True, tag="decision"):
    """One candidate and what was decided: exactly one of act, defer (`until`) or withhold, with exactly one reason code."""

    decision_id: str
    customer_id: str
    campaign: str
    version: int
    wave: str
    run_id: str
    segment: str
    purpose: str
    at: datetime
    result: Result
    reason: GateCode
    until: datetime | None = None
    channel: str = ""
    action_id: str = ""
    attempts: tuple[Attempt, ...] = ()
    numbers: dict[str, float] = {}
    """Every number of the decision: risk, cost, expected margin, caps used, the parts of the score."""
    caused_by: str = ""
    """Id of the touchpoint or outcome that led here, or the timer's key."""
    rivals: tuple[Rival, ...] = ()
    """The candidates that it was ranked against, those worth most first."""
    attempt: int = 1
    """Of a call, which attempt this is."""
    language: str = ""
    """Which of its template's languages the contact speaks; empty: the default one, or no contact."""
    test: bool = False
    """A template sent to an address of the house itself; the customer is none."""


class RunStarted(Message, frozen=True, kw_only=True, tag="run_started"):
    """A customer entered a campaign."""

    customer_id: str
    campaign: str
    version: int
    run_id: str
    at: datetime
    segment: str = ""
    caused_by: str = ""
    holdout: bool = False
    held_by: HoldoutOf = ""
    """Whose holdout the customer is in, where `holdout` says so."""
    again: bool = False
    """Whether the customer entered this campaign before, in whatever matter."""


class WaveClosed(Message, frozen=True, kw_only=True, tag="wave_closed"):
    """A wave closed for a customer: `responded` with the response, or not, and how the contact ended."""

    customer_id: str
    campaign: str
    version: int
    wave: str
    run_id: str
    at: datetime
    responded: bool
    reach: str = ""
    channel: str = ""
    segment: str = ""
    contact_hours: tuple[int, ...] = ()
    """The local hours (0..23) of the contacts that were decided in the wave, in their order."""


class RunEnded(Message, frozen=True, kw_only=True, tag="run_ended"):
    """A run is over, with the reason."""

    customer_id: str
    campaign: str
    version: int
    run_id: str
    at: datetime
    reason: RunEnd


class GoalReached(Message, frozen=True, kw_only=True, tag="goal_reached"):
    """The goal event came within its window; `value` in minor units."""

    customer_id: str
    campaign: str
    version: int
    run_id: str
    at: datetime
    value: int = 0
    currency: str = "EUR"
    entered_at: datetime | None = None
    """When the run began."""
    segment: str = ""
    """The run's at its entry."""
    held_by: HoldoutOf = ""
    again: bool = False


DecisionMessage = Decision | RunStarted | WaveClosed | RunEnded | GoalReached
