"""The way of one customer through a campaign: a wave opens with a candidate contact, closes on an answer or in time, and leads on."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from msgspec.structs import replace
from nextwave_contracts.actions import Withdraw
from nextwave_contracts.decisions import RunEnded, WaveClosed
from nextwave_contracts.reasons import RunEnd

from nextwave_orchestrator.allowances import uses
from nextwave_orchestrator.campaigns.definition import Step
from nextwave_orchestrator.caps import reserve
from nextwave_orchestrator.catalogue import LiveCampaign, LiveWave
from nextwave_orchestrator.decisions import Judged
from nextwave_orchestrator.received import received_since
from nextwave_orchestrator.responses.rates import local_hour
from nextwave_orchestrator.state import Reservation, Run
from nextwave_orchestrator.turn import Turn

INSTANT = timedelta.resolution
"""What is later than an instant is at least so much later."""
LOOK_AGAIN = timedelta(minutes=15)
"""How often a wave held by a paused campaign looks whether it may go on, business time."""


def campaign_of(turn: Turn, run: Run) -> LiveCampaign | None:
    """The version that the customer entered; None where the catalogue has not got it (the run then waits)."""
    return turn.catalogue.campaigns.get((run.campaign, run.version))


def is_held(turn: Turn, run: Run) -> bool:
    """Whether the campaign is paused now, so that nothing of it moves on."""
    return turn.catalogue.states.get(run.campaign, "paused") != "published"


def mix_of(turn: Turn, wave: LiveWave, branch: str) -> tuple[str, tuple[Step, ...]]:
    """The segment and its channels: the branch's own step, or the mix of the first segment that matches; empty for nobody's mix."""
    if branch in wave.enter_on:
        return "", (wave.enter_on[branch],)
    mixes = dict(wave.mixes)
    segment = turn.catalogue.segment_of(turn.facts, tuple(mixes))
    return segment, mixes.get(segment, ())


def open_wave(turn: Turn, campaign: LiveCampaign, run: Run, *, wave: LiveWave, branch: str = "") -> None:
    """Lets the run into `wave`: its window begins with the cause, and what was received since then counts, also what was read before.

    Whoever answered already is not contacted: the wave closes at once. At the very instant of the cause only what is read after it
    counts, unless the cause is the end of the window before: what is received at that instant belongs to this one.
    """
    since = turn.at if turn.at >= run.closes_at else turn.at + INSTANT
    closes_at = max(turn.now, turn.at) + wave.window
    opened = replace(
        run,
        wave=wave.key,
        branch=branch,
        opened_at=turn.at,
        closes_at=closes_at,
        due_at=closes_at,
        retry_at=None,
        action_id="",
        withdrawn=False,
        step=0,
        attempt=0,
        yields_to=(),
        channel="",
        reach=None,
        responded_at=None,
        contact_hours=(),
    )
    turn.keep(opened)
    received = received_since(turn.state, campaign, opened, since)
    answered_at = next((at for at, happening in received if at < closes_at and wave.is_response(happening)), None)
    if answered_at is not None:
        with turn.as_of(answered_at):
            close_wave(turn, campaign, replace(opened, responded_at=answered_at))
        return
    turn.wake("close", opened, closes_at)
    turn.want(opened)


def follow(turn: Turn, run: Run, judged: Judged) -> None:
    """Says the one decision of the run's candidate, and does what it says."""
    decision = judged.decision
    turn.judged.append(judged)
    turn.say([decision])
    match decision.result:
        case "act":
            assert judged.contact is not None
            action, channel, purpose = decision.action_id, decision.channel, judged.given.purpose
            contacted = (*run.contact_hours, local_hour(decision.at, judged.given.zones))
            acting = replace(run, action_id=action, channel=channel, actions=(*run.actions, action), contact_hours=contacted)
            turn.keep(replace(acting, attempt=decision.attempt, step=run.step if decision.attempt > 1 else judged.offer))
            offer = judged.given.offers[judged.offer]
            counted = Reservation(action, run.campaign, channel, purpose, decision.at, cost=offer.cost, place=offer.place)
            counted = replace(counted, latest=judged.contact.not_after)
            turn.state = replace(turn.state, reservations=reserve(turn.state.reservations, counted))
            turn.leases.reserve(uses(run.campaign, channel, offer.place, offer.cost))
            turn.say([judged.contact])
        case "defer":
            if decision.reason == "capacity":
                waiting = next(one for one in judged.given.offers if one.channel == decision.channel and one.capacity_free_at)
                turn.leases.queue(waiting.channel, waiting.place, turn.now)
            ahead = tuple(rival.run_id for rival in decision.rivals if rival.ahead and rival.at > turn.now)
            retry(turn, replace(run, retry_at=decision.until, yields_to=ahead))
        case "withhold":
            turn.keep(run)
        case never:
            assert_never(never)


def retry(turn: Turn, run: Run) -> None:
    """The run's candidate is asked again at its `retry_at`, if that is within the window."""
    turn.keep(run)
    if run.retry_at is not None and run.retry_at < run.closes_at:
        turn.wake("retry", run, run.retry_at)


def close_due(turn: Turn, run: Run) -> None:
    """The window is over and everything received in it was taken in: judge, as of its end. A paused campaign's wave waits.

    Stale timers do nothing. A candidate that was put off is decided first, at this turn's end; the wave then closes.
    """
    campaign = campaign_of(turn, run)
    if run.due_at != turn.at:
        return
    if campaign is None or is_held(turn, run):
        waiting = replace(run, due_at=turn.now + LOOK_AGAIN)
        turn.keep(waiting)
        turn.wake("close", waiting, waiting.due_at)
        return
    if run.retry_at is not None and not run.action_id:
        turn.want(run)
        turn.wake("close", run, run.due_at)
        return
    with turn.as_of(run.closes_at):
        close_wave(turn, campaign, run)


def close_wave(turn: Turn, campaign: LiveCampaign, run: Run) -> None:
    """Closes the wave by what the run has recorded, and goes on to the next one whose condition holds, or ends."""
    reach = _ended(run)
    responded = run.responded_at is not None and reach != "refused"
    turn.say([closed(turn, run, responded=responded)])
    if responded:
        withdraw(turn, run, "responded")
    following = next_wave(campaign, run.wave, responded=responded, reach=reach)
    if following is not None:
        open_wave(turn, campaign, run, wave=following, branch=reach if reach in following.enter_on else "")
    else:
        end(turn, run, "responded" if responded else "suppressed" if reach == "refused" else "completed")


def closed(turn: Turn, run: Run, *, responded: bool) -> WaveClosed:
    """The record of a wave that closes now."""
    return WaveClosed(
        customer_id=turn.state.customer_id,
        campaign=run.campaign,
        version=run.version,
        wave=run.wave,
        run_id=run.run_id,
        at=turn.at,
        responded=responded,
        reach=_ended(run),
        channel=run.channel,
        segment=run.segment,
        contact_hours=run.contact_hours,
    )


def _ended(run: Run) -> str:
    """How the wave's contact ended; one without any sign was missed; empty when there was no contact."""
    return run.reach or ("missed" if run.action_id else "")


def next_wave(campaign: LiveCampaign, after: str, *, responded: bool, reach: str) -> LiveWave | None:
    """The first wave after `after` whose condition holds. A refusal is followed only by a branch that names it."""
    for wave in campaign.waves:
        if wave.enter_after != after:
            continue
        if wave.enter_on:
            met = not responded and reach in wave.enter_on
        else:
            met = reach != "refused" and not (wave.enter_unless_responded and responded)
        if met:
            return wave
    return None


def withdraw(turn: Turn, run: Run, reason: str) -> None:
    """Takes back the wave's contact if it may still be queued."""
    if run.action_id and run.reach in {None, "missed"} and not run.withdrawn:
        took = Withdraw(customer_id=turn.state.customer_id, run_id=run.run_id, reason=reason, at=turn.at, action_id=run.action_id)
        turn.say([took])


def end(turn: Turn, run: Run, reason: RunEnd) -> None:
    """Ends the run; unless it ran its course, what is queued is withdrawn. Its goal stays open until its own time."""
    if reason in {"goal", "reentered", "campaign_ended", "merged"}:
        withdraw(turn, run, reason)
    turn.drop(run)
    ended = RunEnded(
        customer_id=turn.state.customer_id, campaign=run.campaign, version=run.version, run_id=run.run_id, at=turn.at, reason=reason
    )
    turn.say([ended])


def end_stopped(turn: Turn) -> None:
    """Ends the runs of campaigns that were ended since this customer was last touched."""
    for run in turn.state.runs:
        if turn.catalogue.states.get(run.campaign) == "ended":
            end(turn, run, "campaign_ended")
