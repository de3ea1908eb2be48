"""`nextwave.decisions.v1`: the record of every candidate, run and goal, readable by anyone."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from nextwave_contracts.reasons import GateCode, RunEnd
from nextwave_contracts.wire import Message

Result = Literal["act", "defer", "withhold"]


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
    """Every number of the decision: risk, cost, expected margin, caps used."""
    caused_by: str = ""
    """Id of the touchpoint or outcome that led here, or the timer's key."""


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


DecisionMessage = Decision | RunStarted | WaveClosed | RunEnded | GoalReached
