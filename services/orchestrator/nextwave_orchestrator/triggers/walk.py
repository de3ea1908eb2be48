"""A walk over all customers of a partition, page by page: each page is a timer of its own, so that a crash repeats it and loses nothing.

See `docs/decisions/0010-what-lets-a-customer-in.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from nextwave_runtime.application import Timer

from nextwave_orchestrator.catalogue import Catalogue, LiveCampaign
from nextwave_orchestrator.entry import may_enter
from nextwave_orchestrator.state import CustomerState, Stored
from nextwave_orchestrator.triggers.local_time import NEVER_YET
from nextwave_orchestrator.triggers.planning import plan, scheduled, waits_by_time
from nextwave_orchestrator.triggers.timetable import MINUTE, Lane, Taken, Timetable
from nextwave_orchestrator.turn import Turn
from nextwave_orchestrator.waves import LOOK_AGAIN

OPENED, WALK = "campaign_opened", "walk"
"""Kinds of timers of a partition: a campaign lets people in from now on; one page of a walk."""
PAGE = 200
"""Customers of one page, each a row of a few kilobytes."""
READ_AHEAD = timedelta(seconds=20)
"""So far ahead the slots of a pace in a fixed zone are given away: what an outage or a pause makes late is no more than is due in it."""
CATALOGUE_LAGS = timedelta(seconds=1)
"""After this it is looked again for a change that this replica has not read yet, business time."""


class Walk(Stored, frozen=True, kw_only=True):
    """How far a walk is. `occurrence`: whom it lets in then (local time, naive); None: it only sets the timers of who exists already.

    `since`: whose own time was before, is too late, since the campaign was opened only then. `cursor` is the last customer visited,
    empty before the first page; `taken` the slots of the pace that are given away.
    """

    occurrence: datetime | None = None
    since: datetime
    cursor: str = ""
    taken: Taken = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """Where and when a walk goes on, and the customers of its page by id; None where the page has not been read."""

    catalogue: Catalogue
    now: datetime
    partitions: int
    page: Sequence[CustomerState] | None = None


@dataclass(slots=True)
class Gone:
    """What comes of a page: a turn for each customer it concerns, and timers of the partition."""

    turns: list[Turn] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)


def walk_of(timer: Timer) -> Walk:
    """How far the walk of this timer is. Raises `msgspec.DecodeError`."""
    return msgspec.msgpack.decode(timer.payload, type=Walk)


def opened(timer: Timer, ground: Ground) -> list[Timer]:
    """A campaign lets people in from now on: what this partition has to set. Waits until the catalogue in force knows of it."""
    if ground.catalogue.revision < int(timer.payload):
        return [_again(timer, ground.now + CATALOGUE_LAGS, timer.payload)]
    campaign = _live(ground.catalogue, timer.key)
    if campaign is None:
        return []
    timers = []
    if waits_by_time(campaign, ground.catalogue):
        timers.append(_walk(timer.partition, campaign.key, timer.due_at, Walk(since=timer.due_at)))
    local = None if campaign.schedule is None else campaign.schedule.next_after(timer.due_at)
    if campaign.schedule is not None and local is not None:
        starts_at = max(campaign.schedule.starts_at(local), timer.due_at)
        timers.append(_walk(timer.partition, campaign.key, starts_at, Walk(occurrence=local, since=timer.due_at)))
    return timers


def step(timer: Timer, ground: Ground) -> Gone:
    """One page, and the timer of the next one. A pause puts it off; it ends with the campaign."""
    walk, key = walk_of(timer), timer.key.partition("/")[0]
    campaign = _live(ground.catalogue, key)
    if campaign is None:
        waits = walk.occurrence is not None and ground.catalogue.states.get(key) == "paused"
        return Gone(timers=[_again(timer, ground.now + LOOK_AGAIN, timer.payload)] if waits else [])
    if ground.page is None:
        return Gone(timers=[timer])
    if walk.occurrence is None:
        return _visit(timer, walk, ground)
    return _hand_out(timer, walk, ground, campaign)


def _visit(timer: Timer, walk: Walk, ground: Ground) -> Gone:
    """Sets the timers of who exists already."""
    gone = Gone()
    for state in ground.page or ():
        turn = Turn(ground.catalogue, state, ground.now, ground.now, caused_by=timer.key)
        plan(turn, state, anew=True)
        gone.turns.append(turn)
    gone.timers += _next_page(timer, _past(walk, ground.page), ground, timer.due_at)
    return gone


def _hand_out(timer: Timer, walk: Walk, ground: Ground, campaign: LiveCampaign) -> Gone:
    """Goes on with an occurrence, and sets the walk of the next one; ends where the schedule has it no more."""
    timetable, local = campaign.schedule, walk.occurrence
    assert local is not None
    gone = Gone()
    if timetable is None or not timetable.has(local):
        return gone
    if not walk.cursor:
        following = timetable.next_local(local)
        if following is not None:
            starts_at = timetable.starts_at(following)
            gone.timers.append(_walk(timer.partition, campaign.key, starts_at, Walk(occurrence=following, since=walk.since)))
            if starts_at <= ground.now:
                return gone
    _give_turns(gone, timer, walk, ground, campaign)
    return gone


def _give_turns(gone: Gone, timer: Timer, walk: Walk, ground: Ground, campaign: LiveCampaign) -> None:
    """Sets a timer for everybody whom the campaign would let in, at their own instant and at the campaign's pace.

    At a pace in a fixed zone it goes on shortly before the slots given away are over; else all pages are read at once.
    """
    timetable, local = campaign.schedule, walk.occurrence
    assert timetable is not None
    assert local is not None
    lane, going_on = _lane(timetable, local, timer, ground), _past(walk, ground.page)
    due_at = timer.due_at if lane is None else max(timer.due_at, ground.now - READ_AHEAD)
    free_from = ground.now if lane is None else _free_from(lane, timer, ground)
    taken = () if lane is None else lane.ahead(walk.taken, ground.now)
    for state in ground.page or ():
        wanted = _wanted(campaign, walk, state, ground)
        if wanted is None:
            continue
        if lane is not None:
            wanted, taken = lane.take(taken, max(wanted, free_from))
        turn = Turn(ground.catalogue, state, ground.now, ground.now, caused_by=timer.key)
        turn.alarms.append(scheduled(state.customer_id, campaign.key, local, wanted))
        gone.turns.append(turn)
        if lane is not None and timetable.zone is not None and wanted > free_from + READ_AHEAD:
            going_on, due_at = _past(walk, (state,)), wanted - READ_AHEAD / 2
            break
    gone.timers += _next_page(timer, msgspec.structs.replace(going_on, taken=taken), ground, due_at)


def _free_from(lane: Lane, timer: Timer, ground: Ground) -> datetime:
    """Before this no slot is given away: after an outage those that were given away already, one beyond `READ_AHEAD`, come first."""
    is_late = ground.now - timer.due_at > MINUTE
    return ground.now + READ_AHEAD + lane.step if is_late else ground.now


def _wanted(campaign: LiveCampaign, walk: Walk, state: CustomerState, ground: Ground) -> datetime | None:
    """The instant that is right for the customer; None for who would not be let in. This is judged again when it is their turn."""
    timetable, local = campaign.schedule, walk.occurrence
    if timetable is None or local is None or state.profile is None or state.absorbed_into:
        return None
    own = timetable.instant(local, state.profile)
    if own < walk.since or state.served.get(campaign.key, NEVER_YET) >= local:
        return None
    turn = Turn(ground.catalogue, state, max(own, ground.now), own, caused_by="")
    return own if may_enter(turn, campaign, "") else None


def _lane(timetable: Timetable, local: datetime, timer: Timer, ground: Ground) -> Lane | None:
    if not timetable.pace:
        return None
    return Lane(timetable.starts_at(local), timetable.pace, timer.partition, ground.partitions)


def _past(walk: Walk, page: Sequence[CustomerState] | None) -> Walk:
    return msgspec.structs.replace(walk, cursor=page[-1].customer_id) if page else walk


def _next_page(timer: Timer, walk: Walk, ground: Ground, due_at: datetime) -> list[Timer]:
    """The walk goes on behind its cursor, unless that is at the end of the last page."""
    page = ground.page or ()
    if len(page) < PAGE and (not page or walk.cursor == page[-1].customer_id):
        return []
    return [_again(timer, due_at, msgspec.msgpack.encode(walk))]


def _walk(partition: int, key: str, due_at: datetime, walk: Walk) -> Timer:
    about = "" if walk.occurrence is None else walk.occurrence.isoformat()
    return Timer(partition, due_at, f"{key}/{about}", WALK, msgspec.msgpack.encode(walk), "watermark")


def _again(timer: Timer, due_at: datetime, payload: bytes) -> Timer:
    return Timer(timer.partition, due_at, timer.key, timer.kind, payload, timer.gate)


def _live(catalogue: Catalogue, key: str) -> LiveCampaign | None:
    return next((campaign for campaign in catalogue.live if campaign.key == key), None)
