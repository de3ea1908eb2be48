"""What a customer waits for by time: days of the profile and crossings of segments, always set anew when the profile says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace
from nextwave_contracts.customers import Snapshot

from nextwave_orchestrator.catalogue import Catalogue, Facts, LiveCampaign
from nextwave_orchestrator.entry import admit, enter, segment_changes
from nextwave_orchestrator.state import ENTRIES_MAX, CustomerState
from nextwave_orchestrator.triggers.local_time import NEVER_YET
from nextwave_orchestrator.turn import Alarm, Turn
from nextwave_orchestrator.waves import LOOK_AGAIN

LATE_MAX = timedelta(hours=24)
"""A day of the profile that comes later than this, since something stood still, is over: nobody is congratulated the day after next."""


def waits_by_time(campaign: LiveCampaign, catalogue: Catalogue) -> bool:
    """Whether customers have timers of their own for this campaign, so that those who exist when it is published must be visited."""
    on = campaign.definition.entry.on
    keys = {*on.entered.get("segment", ()), *on.left.get("segment", ())}
    return campaign.date is not None or any(segment.key in keys and segment.next_moment for segment in catalogue.watched)


def plan(turn: Turn, before: CustomerState | None, *, anew: bool = False) -> None:
    """Sets the customer's date and crossing timers as the profile and the rules now say; one each is valid.

    `before` is the state for which they were set last; `anew`: by other rules, too. An absorbed customer waits for nothing.
    """
    state = turn.state
    is_idle = state.absorbed_into or state.profile is None
    dates = {} if is_idle else dict(_dates(turn, before.profile if before else None, anew=anew))
    crosses_at = None if is_idle else _crosses_at(turn, before, anew=anew)
    if dates != state.dates or crosses_at != state.crosses_at:
        turn.state = replace(state, dates=dates, crosses_at=crosses_at)
        turn.alarms.extend(_alarms(state, turn.state))


def date_due(turn: Turn, key: str) -> None:
    """The day came that a campaign waits for: the customer enters, once for each thing that has its day. Stale timers do nothing."""
    if turn.state.dates.get(key) != turn.at:
        return
    turn.state = replace(turn.state, dates={name: at for name, at in turn.state.dates.items() if name != key})
    campaign, profile = _live(turn.catalogue, key), turn.state.profile
    if campaign is None or campaign.date is None or profile is None or turn.now - turn.at > LATE_MAX:
        return
    occasions = campaign.date.falling_on(profile, turn.at)
    if occasions:
        _serve(turn, key, max(one.local for one in occasions))
    keyed = bool(campaign.definition.entry.key)
    for about in dict.fromkeys(one.about if keyed else "" for one in occasions):
        with turn.as_of(turn.at, f"date:{campaign.date.of}"):
            admit(turn, campaign, about)


def crossing_due(turn: Turn) -> None:
    """By time alone the customer may have entered or left a segment, at this very instant."""
    state = turn.state
    if state.crosses_at != turn.at or state.profile is None or state.absorbed_into:
        return
    turn.state = replace(state, crosses_at=None, updated_at=max(turn.at, state.updated_at or turn.at))
    changes = segment_changes(turn.catalogue, state, Facts(state.profile, state.history, turn.at))
    with turn.as_of(turn.at, "time"):
        enter(turn, None, changes)


def scheduled_due(turn: Turn, key: str, local: datetime) -> None:
    """A customer's turn in an occurrence of a schedule, once. A pause puts it off; who moved west since waits for their own clock.

    An occurrence that a newer version's schedule has not got is over.
    """
    campaign, state = _live(turn.catalogue, key), turn.state
    if campaign is None:
        if turn.catalogue.states.get(key) == "paused":
            turn.alarms.append(scheduled(state.customer_id, key, local, turn.now + LOOK_AGAIN))
        return
    if campaign.schedule is None or not campaign.schedule.has(local) or state.served.get(key, NEVER_YET) >= local:
        return
    own = turn.at if state.profile is None else campaign.schedule.instant(local, state.profile)
    if own > turn.at:
        turn.alarms.append(scheduled(state.customer_id, key, local, own))
        return
    _serve(turn, key, local)
    with turn.as_of(turn.at, f"schedule:{local.isoformat()}"):
        admit(turn, campaign, "")


def join_in(turn: Turn, before: CustomerState) -> None:
    """Who comes to the audience after an occurrence began to be handed out, and before it is due on their clock, has it too."""
    profile = turn.state.profile
    if profile is None or turn.state.absorbed_into:
        return
    for campaign in turn.catalogue.scheduled:
        assert campaign.schedule is not None
        pending = [(local, campaign.schedule.instant(local, profile)) for local in campaign.schedule.being_handed_out(turn.now)]
        if any(own > turn.now for _, own in pending) and _is_new(turn, campaign, before):
            customer = turn.state.customer_id
            turn.alarms.extend(scheduled(customer, campaign.key, local, own) for local, own in pending if own > turn.now)


def scheduled(customer_id: str, key: str, local: datetime, due_at: datetime) -> Alarm:
    """The timer of a customer's turn in an occurrence."""
    return Alarm("scheduled", customer_id, f"{key}/{local.isoformat()}", due_at)


def _dates(turn: Turn, known: Snapshot | None, *, anew: bool) -> Iterator[tuple[str, datetime]]:
    state, profile = turn.state, turn.state.profile
    assert profile is not None
    for campaign in turn.catalogue.dated:
        trigger = campaign.date
        assert trigger is not None
        at = state.dates.get(campaign.key)
        at = None if at is not None and turn.now - at > LATE_MAX else at  # its timer is no good any more, whatever became of it
        if at is None or anew or known is None or not trigger.reads_the_same(known, profile):
            is_due = at is not None and at <= turn.now and trigger.falling_on(profile, at)
            at = at if is_due else trigger.next_after(profile, turn.now, state.served.get(campaign.key))
        if at is not None:
            yield campaign.key, at


def _crosses_at(turn: Turn, before: CustomerState | None, *, anew: bool) -> datetime | None:
    """Counted from when memberships were last judged; by new rules from now, so that what crossed before they were in force is past.

    Two words of one instant, or what a merge brings, change what is known without its being judged at another instant.
    """
    state, kept = turn.state, turn.state.crosses_at
    assert state.profile is not None
    is_judged = before is None or state.updated_at != before.updated_at
    is_same = before is not None and state.profile is before.profile and state.history is before.history
    if not is_judged and ((is_same and not anew) or (kept is not None and kept <= turn.now)):
        return kept
    since = state.updated_at if is_judged and state.updated_at is not None else turn.now
    facts = Facts(state.profile, state.history, since)
    moments = (segment.next_moment(facts) for segment in turn.catalogue.watched if segment.next_moment is not None)
    return min((at for at in moments if at is not None), default=None)


def _alarms(before: CustomerState, after: CustomerState) -> Iterator[Alarm]:
    for key, at in after.dates.items():
        if before.dates.get(key) != at:
            yield Alarm("date", after.customer_id, key, at)
    if after.crosses_at is not None and after.crosses_at != before.crosses_at:
        yield Alarm("crossing", after.customer_id, "", after.crosses_at)


def _is_new(turn: Turn, campaign: LiveCampaign, before: CustomerState) -> bool:
    """Whether this update brought the customer to the campaign's audience."""
    audience = (campaign.definition.entry.audience.segment,)
    was = before.profile is not None and before.updated_at is not None
    if was and turn.catalogue.segment_of(Facts(before.profile, before.history, before.updated_at), audience):  # type: ignore[arg-type]  # was
        return False
    return bool(turn.catalogue.segment_of(turn.facts, audience))


def _serve(turn: Turn, key: str, local: datetime) -> None:
    states = turn.catalogue.states
    others = [(name, last) for name, last in turn.state.served.items() if name != key and states.get(name, "ended") != "ended"]
    turn.state = replace(turn.state, served=dict([*others, (key, local)][-ENTRIES_MAX:]))


def _live(catalogue: Catalogue, key: str) -> LiveCampaign | None:
    return next((campaign for campaign in catalogue.live if campaign.key == key), None)
