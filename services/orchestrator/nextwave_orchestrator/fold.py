"""The orchestrator's part of the processor: customers' messages and timers in, contacts, withdrawals and decisions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

import msgspec
from msgspec.structs import replace
from nextwave_contracts.actions import Contact, ResumeCampaign, StopCampaign, Withdraw
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged, CustomerUpdated, Snapshot
from nextwave_contracts.topics import ACTIONS, CUSTOMERS, DECISIONS, Topic, partition_of
from nextwave_runtime.application import Gate, Outgoing, Taken, Timer, Work
from nextwave_runtime.timers import schedule
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator import flights, leasing, offered, store
from nextwave_orchestrator.allowances import Leases, spending
from nextwave_orchestrator.answers import answer, is_refusal, learn
from nextwave_orchestrator.caps import reserve
from nextwave_orchestrator.catalogue import Catalogue, Happening
from nextwave_orchestrator.catalogue_store import TimerKind
from nextwave_orchestrator.contest import settle
from nextwave_orchestrator.decisions import Judged
from nextwave_orchestrator.entry import enter, segment_changes
from nextwave_orchestrator.inheritance import absorb, be_told, go_on, hand_over, inherit, say_last_word, take_back
from nextwave_orchestrator.migrating import go_over
from nextwave_orchestrator.proofs import PROOF, Proof, judge_proof
from nextwave_orchestrator.received import came_at_by
from nextwave_orchestrator.reports import ledger
from nextwave_orchestrator.reports.books import Books
from nextwave_orchestrator.state import CustomerState, Reservation, from_bytes, latest, remember, small
from nextwave_orchestrator.triggers import pages, walk
from nextwave_orchestrator.triggers.planning import crossing_due, date_due, join_in, plan, scheduled_due
from nextwave_orchestrator.turn import Alarm, AlarmKind, Turn
from nextwave_orchestrator.waves import close_due, end_stopped

CUSTOMER_TIMERS: frozenset[str] = frozenset(get_args(AlarmKind))
"""Timers of a customer; their key is `customer/about`. The others (`campaign_stopped`, `campaign_resumed`) have the campaign as key."""
WAITING_FOR_ALL: frozenset[str] = frozenset({"close", "last_word", "date", "scheduled", "crossing"})
"""Timers that fire once everything received up to their time was taken in."""
LOST_AFTER = timedelta(hours=24)
"""Business time after which the close timer of a wave that is still open is set again: its message may have been rejected."""


@dataclass(slots=True)
class Unit:
    """The customers a batch can touch, what changed, and what is to be written."""

    partition: int
    partitions: int
    states: dict[str, CustomerState] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    judged: list[Judged] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    catalogue: Catalogue | None = None
    """What was in force when the batch was loaded, and is for all of it; None: what is in force at each message."""
    leases: Leases = field(default_factory=Leases)
    flights: flights.Flights = field(default_factory=flights.Flights)
    books: Books = field(default_factory=Books)
    pages: pages.Pages = field(default_factory=dict)


class Decider:
    """The application. `catalogue` gives the owners' rules as they are at this instant; one value is used for a whole batch."""

    name = "orchestrator"
    inputs: tuple[Topic, ...] = (CUSTOMERS,)
    timers_on = CUSTOMERS
    hands_over: frozenset[str] = frozenset({*get_args(TimerKind), "estate", PROOF})

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        self._catalogue = catalogue

    async def load(self, connection: AsyncConnection, work: Work) -> Unit:
        """Every customer that the batch names."""
        named = {getattr(taken.message, "customer_id", "") for taken in work.taken}
        named |= {customer_of(timer) for timer in work.timers if timer.kind in CUSTOMER_TIMERS}
        read = await pages.load(connection, work)
        named |= {customer_id for page in read.values() for customer_id in page}
        states = await store.load_states(connection, sorted(named - {""}))
        catalogue = self._catalogue()
        leases = await leasing.load(connection, work, spending(catalogue.states))
        return Unit(work.partition, work.partitions, states, catalogue=catalogue, leases=leases, pages=read)

    def fold(self, unit: Unit, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:
        """One message or timer. Pure: the same unit, item, instant and catalogue give the same messages."""
        catalogue = unit.catalogue or self._catalogue()
        if isinstance(item, Timer):
            return _fire(unit, item, catalogue, now)
        message = item.message
        if not isinstance(message, CustomerUpdated | CustomersMerged | CustomerAbsorbed):
            return []
        state = unit.states.get(message.customer_id) or CustomerState(customer_id=message.customer_id)
        turn = Turn(catalogue, state, max(now, message.at), message.at, caused_by=_cause(message), leases=unit.leases)
        take(turn, message)
        return _finish(unit, turn)

    async def save(self, connection: AsyncConnection, unit: Unit) -> None:
        """States, decisions with their input, and timers."""
        await store.save_states(connection, [unit.states[customer_id] for customer_id in sorted(unit.changed)], unit.partitions)
        await store.insert_decisions(connection, unit.judged)
        await schedule(connection, unit.timers)
        await flights.add(connection, unit.partition, unit.flights)
        await ledger.write(connection, unit.partition, unit.books)
        await leasing.save(connection, unit.partition, unit.leases)


def customer_of(timer: Timer) -> str:
    """The customer of a customer's timer."""
    return timer.key.partition("/")[0]


def take(turn: Turn, message: CustomerUpdated | CustomersMerged | CustomerAbsorbed) -> None:
    """Takes one message into the customer's state. Word of an absorbed customer may come late, from another partition of scoring."""
    match message:
        case CustomerUpdated():
            _updated(turn, message)
        case CustomersMerged():
            _merged(turn, message)
        case CustomerAbsorbed():
            if not turn.state.absorbed_into and message.into != message.customer_id:
                absorb(turn, message.into)


def _updated(turn: Turn, message: CustomerUpdated) -> None:
    before = turn.state
    happening = happening_of(message)
    history = before.history if happening is None else remember(before.history, _as_remembered(turn, message, happening))
    is_suspect = message.touchpoint is not None and message.touchpoint.time_suspect
    updated_at = _judged_at(turn) if is_suspect else turn.now
    profile, came_at = _newer(before.profile, message.profile), latest(before.came_at, came_at_by(message))
    turn.state = replace(before, profile=profile, history=history, updated_at=updated_at, came_at=came_at)
    end_stopped(turn)
    go_over(turn)
    _wake_lost(turn)
    be_told(turn, before.profile, message.profile.absorbed)
    if message.outcome is not None:
        learn(turn, message.outcome)
    if is_suspect:
        return
    if happening is not None:
        answer(turn, happening)
        offered.hear(turn, happening)
        if is_refusal(happening):
            take_back(turn)
    changes = tuple((change.field, change.before, change.after) for change in message.changes)
    segments = () if before.absorbed_into else segment_changes(turn.catalogue, before, turn.facts)
    enter(turn, happening, (*changes, *segments))
    join_in(turn, before)


def _judged_at(turn: Turn) -> datetime | None:
    """When memberships are taken to be judged by what judges none: now, but not past a crossing whose timer has not fired yet."""
    state = turn.state
    is_pending = state.crosses_at is not None and state.crosses_at <= turn.now
    return state.updated_at if is_pending else turn.now


def _wake_lost(turn: Turn) -> None:
    """Nothing else would ever close a wave whose timer failed once. One that is still to fire is set already."""
    for run in turn.state.runs:
        if turn.now - run.due_at > LOST_AFTER:
            turn.wake("close", run, run.due_at)


def _newer(known: Snapshot | None, come: Snapshot) -> Snapshot:
    return come if known is None or come.version >= known.version else known


def happening_of(message: CustomerUpdated) -> Happening | None:
    """What happened, as rules see it; None for a review of the silence."""
    if message.touchpoint is not None:
        return Happening(message.touchpoint.type, message.at, message.touchpoint.data)
    if message.outcome is not None:
        o = message.outcome
        named = {"action_id": o.action_id, "run_id": o.run_id, "campaign": o.campaign, "wave": o.wave, "channel": o.channel}
        return Happening(f"outcome.{o.kind}", message.at, named | ({"detail": o.detail} if o.detail else {}))
    return None


def _as_remembered(turn: Turn, message: CustomerUpdated, happening: Happening) -> Happening:
    """In history a touchpoint stands at the time it happened; rules such as `within: 30d` then read an import rightly."""
    at = happening.at if message.touchpoint is None else min(message.touchpoint.occurred_at, happening.at)
    is_suspect = message.touchpoint is not None and message.touchpoint.time_suspect
    data, cut = small(happening.data, ("action_id", *turn.catalogue.asked.get(happening.type, ())))
    return Happening(happening.type, at, data, received_at=None if is_suspect else message.at, cut=cut)


def _merged(turn: Turn, message: CustomersMerged) -> None:
    before, reservations = turn.state.profile, turn.state.reservations
    for past in message.contacts:
        if all(past.action_id != known.action_id for known in reservations):
            reservations = reserve(reservations, Reservation(past.action_id, past.campaign, past.channel, "", past.at, past.unsent))
    profile = _newer(before, message.profile)
    turn.state = replace(turn.state, profile=profile, reservations=reservations, updated_at=_judged_at(turn))
    end_stopped(turn)
    go_over(turn)
    be_told(turn, before, (*message.profile.absorbed, message.absorbed))


def _cause(message: CustomerUpdated | CustomersMerged | CustomerAbsorbed) -> str:
    if isinstance(message, CustomerUpdated):
        born = message.touchpoint or message.outcome
        return born.id if born else "review"
    return "merge"


def _fire(unit: Unit, timer: Timer, catalogue: Catalogue, now: datetime) -> list[Outgoing]:
    if timer.kind == "campaign_stopped":
        return [Outgoing(ACTIONS, StopCampaign(campaign=timer.key, at=timer.due_at), partition=unit.partition)]
    if timer.kind == "campaign_resumed":
        return [Outgoing(ACTIONS, ResumeCampaign(campaign=timer.key, at=timer.due_at), partition=unit.partition)]
    if timer.kind == PROOF:
        return _prove(unit, timer, catalogue, now)
    if timer.kind in {walk.OPENED, walk.WALK}:
        return _walk(unit, timer, catalogue, now)
    if timer.kind not in CUSTOMER_TIMERS:
        return []
    customer_id = customer_of(timer)
    state = unit.states.get(customer_id) or CustomerState(customer_id=customer_id)
    turn = Turn(catalogue, state, max(now, timer.due_at), timer.due_at, caused_by=timer.key, leases=unit.leases)
    end_stopped(turn)
    go_over(turn)
    _ring(turn, timer)
    return _finish(unit, turn)


def _prove(unit: Unit, timer: Timer, catalogue: Catalogue, now: datetime) -> list[Outgoing]:
    judged = judge_proof(msgspec.msgpack.decode(timer.payload, type=Proof), catalogue, max(now, timer.due_at))
    unit.judged.append(judged)
    return [Outgoing(DECISIONS, judged.decision), Outgoing(ACTIONS, judged.contact)]


def _walk(unit: Unit, timer: Timer, catalogue: Catalogue, now: datetime) -> list[Outgoing]:
    """A partition's timer: a campaign lets people in from now on, or a walk over the customers goes on by a page."""
    read = unit.pages.get((timer.key, timer.due_at))
    page = None if read is None else [unit.states[customer_id] for customer_id in read]
    ground = walk.Ground(catalogue, max(now, timer.due_at), unit.partitions, page)
    if timer.kind == walk.OPENED:
        unit.timers.extend(walk.opened(timer, ground))
        return []
    gone = walk.step(timer, ground)
    unit.timers.extend(gone.timers)
    return [message for turn in gone.turns for message in _finish(unit, turn)]


def _ring(turn: Turn, timer: Timer) -> None:
    """Does what a customer's timer is for. While a merge is under way a run's timers are put off: they are set anew when it is done."""
    run = turn.state.run(timer.key.rpartition("/")[2])
    match timer.kind:
        case "estate":
            inherit(turn, from_bytes(timer.payload))
        case "last_word":
            say_last_word(turn)
        case "patience":
            go_on(turn)
        case "date":
            date_due(turn, timer.key.partition("/")[2])
        case "scheduled":
            _, key, local = timer.key.split("/")
            scheduled_due(turn, key, datetime.fromisoformat(local))
        case "crossing":
            crossing_due(turn)
        case "close" if run is not None:
            turn.put_off() if turn.state.awaits_word(turn.now) else close_due(turn, run)
        case "retry" if turn.state.waits(turn.now):  # else its instant has come, and it is settled with the turn
            turn.put_off()


def _finish(unit: Unit, turn: Turn) -> list[Outgoing]:
    settle(turn)
    unit.books.book(turn)
    plan(turn, unit.states.get(turn.state.customer_id))
    hand_over(turn)
    customer_id = turn.state.customer_id
    if turn.state is not unit.states.get(customer_id):
        flights.note(unit.flights, unit.states.get(customer_id), turn.state)
        unit.states[customer_id] = turn.state
        unit.changed.add(customer_id)
    unit.judged.extend(turn.judged)
    unit.timers.extend(_timer(alarm, unit.partitions) for alarm in turn.alarms)
    return [Outgoing(ACTIONS if isinstance(message, Contact | Withdraw) else DECISIONS, message) for message in turn.messages]


def _timer(alarm: Alarm, partitions: int) -> Timer:
    """Set for the owner of the customer's partition, which an absorbed customer's need not be."""
    partition = partition_of(alarm.customer_id.encode(), partitions)
    gate: Gate = "watermark" if alarm.kind in WAITING_FOR_ALL else "clock"
    return Timer(partition, alarm.due_at, f"{alarm.customer_id}/{alarm.about}", alarm.kind, alarm.payload, gate)
