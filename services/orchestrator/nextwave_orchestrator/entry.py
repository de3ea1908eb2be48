"""Who enters a campaign, and when: on an event or a change of the profile, of the right audience, not too soon again, keyed by matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace
from nextwave_contracts.decisions import HoldoutOf, RunStarted

from nextwave_orchestrator.answers import reach_goal
from nextwave_orchestrator.candidate import holdouts
from nextwave_orchestrator.catalogue import Catalogue, Facts, Happening, LiveCampaign
from nextwave_orchestrator.contest import decide_alone
from nextwave_orchestrator.decisions import id_of
from nextwave_orchestrator.holdout import held_by
from nextwave_orchestrator.received import matter_of, received_since
from nextwave_orchestrator.state import ENTRIES_MAX, GOALS_MAX, RUNS_MAX, WISHES_MAX, CustomerState, OpenGoal, Run, Wish
from nextwave_orchestrator.turn import Turn
from nextwave_orchestrator.waves import INSTANT, end, mix_of, open_wave

Changes = tuple[tuple[str, str, str], ...]
"""`(field, before, after)` each; for entering a segment `("segment", "", key)`, for leaving `("segment", key, "")`."""


def enter(turn: Turn, happening: Happening | None, changes: Changes) -> None:
    """Begins the runs that this event or these changes begin, by priority and then key, so that caps fall to the same ones always.

    While a merge is under way they are put off: whether they may begin is judged when both customers are known as one.
    """
    for campaign in sorted(turn.catalogue.entered_by(happening, changes), key=lambda c: (c.definition.priority, c.key)):
        entry_key = _entry_key(campaign, happening)
        if entry_key is not None:
            admit(turn, campaign, entry_key)


def admit(turn: Turn, campaign: LiveCampaign, entry_key: str) -> None:
    """Begins a run of this matter where the campaign's rules let the customer in; puts it off while a merge is under way."""
    if turn.state.waits(turn.now):
        _wish(turn, campaign, entry_key)
    elif may_enter(turn, campaign, entry_key):
        _begin(turn, campaign, entry_key)


def take_up(turn: Turn) -> None:
    """Begins what was put off, in order of its instants, as far as the campaign is still live and its rules let the customer in now."""
    wishes = sorted(turn.state.wishes, key=lambda wish: wish.at)
    turn.state = replace(turn.state, wishes=())
    live = {campaign.key: campaign for campaign in turn.catalogue.live}
    for wish in wishes:
        campaign = live.get(wish.campaign)
        with turn.as_of(wish.at, wish.caused_by):
            if campaign is not None and may_enter(turn, campaign, wish.entry_key):
                _begin(turn, campaign, wish.entry_key)


def _wish(turn: Turn, campaign: LiveCampaign, entry_key: str) -> None:
    """Without re-entry the earliest wish is enough."""
    wish = Wish(campaign.key, entry_key, turn.at, turn.caused_by)
    same = [w for w in turn.state.wishes if campaign.reentry is None and (w.campaign, w.entry_key) == (wish.campaign, wish.entry_key)]
    others = tuple(w for w in turn.state.wishes if w not in same)
    if len(others) < WISHES_MAX:
        turn.state = replace(turn.state, wishes=(*others, min((*same, wish), key=lambda w: w.at)))
        turn.put_off()


def segment_changes(catalogue: Catalogue, before: CustomerState, after: Facts) -> Changes:
    """The segments that somebody waits for and that the customer entered or left since `before` was as it is."""
    if not catalogue.watched:
        return ()
    known = before.profile is not None and before.updated_at is not None
    earlier = Facts(before.profile, before.history, before.updated_at) if known else None  # type: ignore[arg-type]  # known says so
    changes: list[tuple[str, str, str]] = []
    for segment in catalogue.watched:
        was, now_is = earlier is not None and segment.matches(earlier), segment.matches(after)
        if was != now_is:
            changes.append(("segment", segment.key if was else "", segment.key if now_is else ""))
    return tuple(changes)


def _entry_key(campaign: LiveCampaign, happening: Happening | None) -> str | None:
    """The value of the entry's key field; empty for an entry without key, None where the event lacks it."""
    if not campaign.definition.entry.key:
        return ""
    return None if happening is None else matter_of(campaign, happening)


def may_enter(turn: Turn, campaign: LiveCampaign, entry_key: str) -> bool:
    """Whether the customer is of the audience now, and not too soon again."""
    if len(turn.state.runs) >= RUNS_MAX:
        return False
    last: datetime | None = turn.state.entries.get(entry_name(campaign.key, entry_key))
    if last is not None and (campaign.reentry is None or turn.at < last + campaign.reentry):
        return False
    return bool(turn.catalogue.segment_of(turn.facts, (campaign.definition.entry.audience.segment,)))


def entry_name(campaign: str, entry_key: str) -> str:
    """Under what an entry into a campaign (its key) is remembered."""
    return f"{campaign}\0{entry_key}"


def campaign_in(name: str) -> str:
    """The campaign's key in such a name."""
    return name.partition("\0")[0]


def remembered(catalogue: Catalogue, entries: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """The entries (oldest first) without those for which there is no room. What keeps nobody out any more goes first, then what has a key.

    One without a key goes only when its campaign has ended: without re-entry a customer enters once, ever.
    """
    again = {campaign.key: campaign.reentry for campaign in catalogue.live}

    def worth(name: str) -> int:
        campaign, _, key = name.partition("\0")
        reentry = again.get(campaign)
        if catalogue.states.get(campaign, "ended") == "ended" or (key and reentry is not None and entries[name] + reentry <= now):
            return 0
        return 1 if key else 2

    surplus = max(0, len(entries) - ENTRIES_MAX)
    forgotten = set(sorted((name for name in entries if worth(name) < 2), key=worth)[:surplus]) if surplus else ()
    return {name: at for name, at in entries.items() if name not in forgotten}


def still_open(goals: Iterable[OpenGoal], runs: Iterable[Run]) -> tuple[OpenGoal, ...]:
    """The goals (oldest first) without those for which there is no room: never one whose run is open, since it ends the run."""
    known, under_way = tuple(goals), {run.run_id for run in runs}
    ended = [goal.run_id for goal in known if goal.run_id not in under_way]
    forgotten = ended[: max(0, len(known) - GOALS_MAX)]
    return tuple(goal for goal in known if goal.run_id not in forgotten)


def _begin(turn: Turn, campaign: LiveCampaign, entry_key: str) -> None:
    customer_id = turn.state.customer_id
    for run in turn.state.runs:
        if run.campaign == campaign.key and run.entry_key == entry_key:
            end(turn, run, "reentered")
    run = _new_run(turn, campaign, entry_key)
    policy = turn.catalogue.policy
    whose = held_by(policy.salt, holdouts(policy, campaign.definition), customer_id)
    goal = _remember_entry(turn, campaign, run, whose)
    started = RunStarted(
        customer_id=customer_id,
        campaign=run.campaign,
        version=run.version,
        run_id=run.run_id,
        at=turn.at,
        segment=run.segment,
        caused_by=turn.caused_by,
        holdout=bool(whose),
        held_by=whose,
        again=goal.again,
    )
    turn.say([started])
    if _ends_at_once(turn, campaign, run, goal):
        return
    if whose:
        decide_alone(turn, campaign, run)
        end(turn, run, "completed")
    else:
        open_wave(turn, campaign, run, wave=campaign.waves[0])


def _new_run(turn: Turn, campaign: LiveCampaign, entry_key: str) -> Run:
    """As it stands before its first wave opens: whoever is held out gets no further."""
    first = campaign.waves[0]
    segment, _ = mix_of(turn, first, "")
    closes_at = turn.at + first.window
    return Run(
        run_id=id_of("run", turn.state.customer_id, campaign.key, str(campaign.version), entry_key, turn.at.isoformat(), turn.caused_by),
        campaign=campaign.key,
        version=campaign.version,
        entry_key=entry_key,
        entered_at=turn.at,
        caused_by=turn.caused_by,
        segment=segment,
        wave=first.key,
        opened_at=turn.at,
        closes_at=closes_at,
        due_at=closes_at,
    )


def _ends_at_once(turn: Turn, campaign: LiveCampaign, run: Run, goal: OpenGoal) -> bool:
    """Ends the run, and says so, when its goal was received after the entry and read before it: such a run opens no wave."""
    received = received_since(turn.state, campaign, run, turn.at + INSTANT)
    reached_at = next((at for at, happening in received if at < goal.until and campaign.is_goal(happening)), None)
    if reached_at is None:
        return False
    with turn.as_of(reached_at):
        reach_goal(turn, campaign, goal)
        end(turn, run, "goal")
    return True


def _remember_entry(turn: Turn, campaign: LiveCampaign, run: Run, whose: HoldoutOf) -> OpenGoal:
    state = turn.state
    name = entry_name(campaign.key, run.entry_key)
    entries = {key: at for key, at in state.entries.items() if key != name} | {name: run.entered_at}
    goal = OpenGoal(
        run_id=run.run_id,
        campaign=run.campaign,
        version=run.version,
        entry_key=run.entry_key,
        until=run.entered_at + campaign.goal_within,
        segment=run.segment,
        held_by=whose,
        again=any(campaign_in(key) == campaign.key for key in state.entries),
    )
    goals = [g for g in state.goals if (g.campaign, g.entry_key) != (run.campaign, run.entry_key) and g.until > turn.at]
    turn.state = replace(
        state,
        entries=remembered(turn.catalogue, entries, turn.now),
        goals=still_open((*goals, goal), (*state.runs, run)),
    )
    return goal
