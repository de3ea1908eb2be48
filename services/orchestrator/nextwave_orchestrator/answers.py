"""What a happening does to the runs of its customer: goals, responses, refusals, and how contacts ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace
from nextwave_contracts.decisions import GoalReached
from nextwave_contracts.outcomes import CONTACT_MADE, REACH, Outcome, Reach

from nextwave_orchestrator import allowances
from nextwave_orchestrator.attempts import UNANSWERED, next_attempt_at
from nextwave_orchestrator.caps import settle
from nextwave_orchestrator.catalogue import Happening, LiveCampaign
from nextwave_orchestrator.received import concerns, is_same_matter
from nextwave_orchestrator.state import OpenGoal, Reservation, Run, Touch, contact_of, touched
from nextwave_orchestrator.turn import Turn
from nextwave_orchestrator.waves import campaign_of, close_wave, closed, end, retry, withdraw

OUTCOME = "outcome."
WRAP_UP = "call.wrapped_up"


def learn(turn: Turn, outcome: Outcome) -> None:
    """Takes to the caps what an outcome says of its contact, and to what shares in a benefit that it was made."""
    campaign = turn.catalogue.campaigns.get((outcome.campaign, outcome.version))
    purpose = campaign.definition.purpose if campaign is not None else ""
    heard = Reservation(outcome.action_id, outcome.campaign, outcome.channel, purpose, turn.at)
    before = turn.state.reservations
    turn.state = replace(turn.state, reservations=settle(before, heard, outcome.kind))
    allowances.settle(turn.leases, before, turn.state.reservations)
    if outcome.taken:
        turn.contacts.append(outcome)
        made = Touch(outcome.at, outcome.campaign, outcome.version, outcome.wave, outcome.segment, outcome.channel)
        turn.state = replace(turn.state, touches=touched(turn.state.touches, (made,)))


def is_refusal(happening: Happening) -> bool:
    """Whether the customer said no: to an agent, or as the channel reported it."""
    if happening.type == WRAP_UP:
        return happening.data.get("refusal") is True or happening.data.get("disposition") == "refused"
    return happening.type == OUTCOME + "refused"


Among = Mapping[str, str]
"""Run ids with the wave that was open, empty where only the goal was."""


def catch_up(turn: Turn, among: Among, history: Sequence[Happening]) -> None:
    """Takes what was received elsewhere, in its order, to goals and waves that were open then. A wave that this opens looks for itself."""
    received = ((happening.received_at, happening) for happening in history)
    for at, happening in sorted(((at, h) for at, h in received if at is not None), key=lambda one: one[0]):
        with turn.as_of(at):
            answer(turn, happening, among)


def answer(turn: Turn, happening: Happening, among: Among | None = None) -> None:
    """Takes a happening to the goals and then to the open waves that it concerns; to all of them, or to those `among` these."""
    for goal in turn.state.goals:
        if among is None or goal.run_id in among:
            _answer_goal(turn, goal, happening)
    for run in turn.state.runs:
        if among is not None and among.get(run.run_id) != run.wave:
            continue
        campaign = campaign_of(turn, run)
        in_window = run.opened_at <= turn.at < run.closes_at
        if campaign is not None and in_window and concerns(campaign, run, happening):
            _answer_wave(turn, campaign, run, happening)


def _answer_goal(turn: Turn, goal: OpenGoal, happening: Happening) -> None:
    campaign = turn.catalogue.campaigns.get((goal.campaign, goal.version))
    if turn.at >= goal.until:
        _forget(turn, goal)
    elif campaign is not None and _is_reached(turn, campaign, goal, happening):
        _end_at_goal(turn, campaign, goal, happening)


def _forget(turn: Turn, goal: OpenGoal) -> None:
    turn.state = replace(turn.state, goals=tuple(g for g in turn.state.goals if g.run_id != goal.run_id))


def _is_reached(turn: Turn, campaign: LiveCampaign, goal: OpenGoal, happening: Happening) -> bool:
    """What was received before the entry is no goal of it, however late it is read."""
    entered_at = goal.until - campaign.goal_within
    return turn.at >= entered_at and is_same_matter(campaign, goal.entry_key, happening) and campaign.is_goal(happening)


def reach_goal(turn: Turn, campaign: LiveCampaign, goal: OpenGoal) -> None:
    """Records that the goal was reached now; it is reached once."""
    wanted = campaign.definition.goal
    reached = GoalReached(
        customer_id=turn.state.customer_id,
        campaign=goal.campaign,
        version=goal.version,
        run_id=goal.run_id,
        at=turn.at,
        value=wanted.value,
        currency=wanted.currency,
        entered_at=goal.until - campaign.goal_within,
        segment=goal.segment,
        held_by=goal.held_by,
        again=goal.again,
    )
    turn.say([reached])
    _forget(turn, goal)


def _end_at_goal(turn: Turn, campaign: LiveCampaign, goal: OpenGoal, happening: Happening) -> None:
    reach_goal(turn, campaign, goal)
    run = turn.state.run(goal.run_id)
    if run is not None:
        in_window = run.opened_at <= turn.at < run.closes_at
        run = _reached(run, happening) if in_window else run
        answered = run.responded_at is not None or (in_window and _responds(campaign, run, happening))
        turn.say([closed(turn, run, responded=answered)])
        end(turn, run, "goal")


def _answer_wave(turn: Turn, campaign: LiveCampaign, run: Run, happening: Happening) -> None:
    """An answered call counts as a response only when the agent's wrap-up, or the end of the window, has not made it a refusal."""
    answered = _tried_again(campaign, run, happening, turn.at) or _reached(run, happening)
    if answered.reach in {"reached", "refused"} and _is_earlier(run, happening):
        withdraw(turn, run, "answered")
    responds = _responds(campaign, run, happening)
    if responds:
        answered = replace(answered, responded_at=min(turn.at, run.responded_at or turn.at))
    awaits_wrap_up = happening.type == OUTCOME + "answered" and run.channel == "call"
    wrapped_up = happening.type == WRAP_UP and _is_of(run, happening)
    settled = (responds and not awaits_wrap_up) or (wrapped_up and answered.responded_at is not None)
    if settled or answered.reach == "refused":
        close_wave(turn, campaign, answered)
    elif answered.retry_at is not None and answered.retry_at != run.retry_at:
        retry(turn, answered)
    elif answered is not run:
        turn.keep(answered)


def _responds(campaign: LiveCampaign, run: Run, happening: Happening) -> bool:
    wave = next(w for w in campaign.waves if w.key == run.wave)
    return wave.is_response(happening)


def _reached(run: Run, happening: Happening) -> Run:
    """How the wave's contact ended, so far: a refusal stays, who was once reached was not missed, and what was delivered did not fail."""
    if not _is_of(run, happening):
        return run
    kind = happening.type.removeprefix(OUTCOME)
    if kind in CONTACT_MADE and run.reach == "failed":
        run = replace(run, reach=None)
    ended: Reach | None = REACH.get(kind) if kind != happening.type else "reached"
    if is_refusal(happening):
        ended = "refused"
    if ended is None or run.reach == "refused" or (run.reach == "reached" and ended != "refused"):
        return run
    if ended in {"missed", "failed"}:
        return run if _is_earlier(run, happening) else replace(run, reach="missed" if run.attempt > 1 else ended)
    return replace(run, reach=ended, retry_at=None)


def _is_of(run: Run, happening: Happening) -> bool:
    """Whether it names the wave's contact, by any attempt at it."""
    named = happening.data.get("action_id")
    return bool(run.action_id) and isinstance(named, str) and contact_of(named) == contact_of(run.action_id)


def _is_earlier(run: Run, happening: Happening) -> bool:
    """Whether it names an attempt before the last one."""
    return _is_of(run, happening) and happening.data.get("action_id") != run.action_id


def _tried_again(campaign: LiveCampaign, run: Run, happening: Happening, at: datetime) -> Run | None:
    """The run with the instant of its next attempt at the contact, if this says that nobody answered and there is one left."""
    unanswered = happening.type.removeprefix(OUTCOME) in UNANSWERED and happening.type.startswith(OUTCOME)
    if not unanswered or not _is_of(run, happening) or _is_earlier(run, happening) or run.reach is not None:
        return None
    due = run.retry_at or next_attempt_at(campaign, run, at)
    return None if due is None else replace(run, retry_at=due)
