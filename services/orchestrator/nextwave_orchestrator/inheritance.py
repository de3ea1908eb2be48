"""What a merge of two customers means for runs, entries and caps: the absorbed one hands all of it over, in parts that come in any order.

See `docs/decisions/0007-what-a-merge-hands-over.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace
from nextwave_contracts.customers import Snapshot

from nextwave_orchestrator import allowances, offered
from nextwave_orchestrator.answers import Among, catch_up
from nextwave_orchestrator.campaigns.definition import Step
from nextwave_orchestrator.candidate import Candidate, gate_input
from nextwave_orchestrator.caps import together
from nextwave_orchestrator.entry import remembered, still_open, take_up
from nextwave_orchestrator.gate import stopped
from nextwave_orchestrator.rivals import entries_of, going_on
from nextwave_orchestrator.state import (
    ESTATE,
    HISTORY_MAX,
    JOINED_MAX,
    LAST_WORD,
    RUNS_MAX,
    TOLD,
    WISHES_MAX,
    CustomerState,
    Joining,
    Run,
    latest,
    to_bytes,
    touched,
)
from nextwave_orchestrator.turn import Alarm, Turn
from nextwave_orchestrator.waves import campaign_of, end, end_stopped, withdraw

PATIENCE = timedelta(days=7)
"""How long a customer waits for the rest of a merge, business time. Only a message that was rejected is ever missing so long."""


def absorb(turn: Turn, into: str) -> None:
    """The customer is part of another from now on. What is queued is taken back: it was addressed without the other's stops.

    Once everything received up to now was taken in, nothing more can be heard of this customer.
    """
    for run in turn.state.runs:
        withdraw(turn, run, "merged")
        turn.keep(replace(run, withdrawn=bool(run.action_id)))
    customer = turn.state.customer_id
    joined = {**turn.state.joined, customer: Joining(ESTATE, turn.now + PATIENCE)}
    turn.state = replace(turn.state, absorbed_into=into, joined=joined, updated_at=turn.now)
    turn.alarms.append(Alarm("last_word", customer, into, turn.now))


def say_last_word(turn: Turn) -> None:
    """Everything that was ever said of an absorbed customer has been read."""
    customer = turn.state.customer_id
    turn.state = replace(turn.state, joined={**turn.state.joined, customer: Joining(LAST_WORD, turn.now + PATIENCE)})


def hand_over(turn: Turn) -> None:
    """Sends all that an absorbed customer's state has come to hold to the survivor's partition, in this turn's transaction."""
    state = turn.state
    if not state.absorbed_into:
        return
    customer = state.customer_id
    joined = {name: one if name == customer else Joining(one.parts | TOLD, one.until) for name, one in state.joined.items()}
    estate = replace(state, absorbed_into="", handed_over=0, profile=None, updated_at=None, joined=joined)
    if estate == CustomerState(customer_id=customer):
        return
    about = f"{customer}/{state.handed_over}"
    turn.alarms.append(Alarm("estate", state.absorbed_into, about, turn.now, to_bytes(estate)))
    turn.state = CustomerState(
        customer_id=customer, absorbed_into=state.absorbed_into, handed_over=state.handed_over + 1, updated_at=turn.now
    )


def be_told(turn: Turn, before: Snapshot | None, absorbed: Iterable[str]) -> None:
    """The customer's profile speaks for these customers too. Who is new among them is waited for; what waited only for this goes on."""
    waited, joined = turn.state.waits(turn.now) or before is None, dict(turn.state.joined)
    if turn.state.absorbed_into:
        return
    for name in absorbed:
        if name in joined:
            joined[name] = Joining(joined[name].parts | TOLD, joined[name].until)
        elif before is None or name not in before.absorbed:
            joined[name] = Joining(TOLD, turn.now + PATIENCE)
    if joined != turn.state.joined:
        turn.state = replace(turn.state, joined=_newest(joined))
        take_back(turn)
    if waited:
        go_on(turn)


def take_back(turn: Turn) -> None:
    """What is queued was decided without the stops of another, or a refusal, that came since; what they forbid is withdrawn."""
    for run in turn.state.runs:
        campaign = campaign_of(turn, run)
        if campaign is None or not run.channel:
            continue
        candidate = Candidate(campaign, run, run.segment, (_step(run),), turn.now, turn.caused_by)
        code = stopped(gate_input(turn.catalogue, turn.state, candidate))
        if code is not None:
            withdraw(turn, run, code)
            turn.keep(replace(run, withdrawn=True))


def _step(run: Run) -> Step:
    return Step(channel=run.channel)  # type: ignore[arg-type]  # it was a step's


def inherit(turn: Turn, estate: CustomerState) -> None:
    """Takes in a part of what an absorbed customer had. Runs and goals of both go on, one in each matter.

    What either received counts for the open waves and goals of both.
    """
    ours = going_on(turn.catalogue, turn.state, estate, wins_ties=True)
    theirs = going_on(turn.catalogue, estate, turn.state, wins_ties=False)
    runs = (*ours.runs, *theirs.runs)[:RUNS_MAX]
    ended = [run for run in (*turn.state.runs, *estate.runs) if run not in runs]
    entries = remembered(turn.catalogue, entries_of(turn.catalogue, ours, theirs), turn.now)
    booked = (*turn.state.reservations, *estate.reservations)
    goals = still_open((*ours.goals, *theirs.goals), runs)
    known_since = ours.updated_at or turn.now  # an estate may come before any word of the survivor
    turn.state = replace(_united(ours, theirs), runs=runs, goals=goals, entries=entries, updated_at=known_since)
    allowances.settle(turn.leases, booked, turn.state.reservations)
    for run in ended:
        end(turn, run, "merged")
    catch_up(turn, _open(ours), estate.history)
    catch_up(turn, _open(theirs), ours.history)
    end_stopped(turn)
    go_on(turn)


def go_on(turn: Turn) -> None:
    """When the customer need not wait any more: timers that came meanwhile, or were another's, are set anew; entries are taken up."""
    state = turn.state
    if state.waits(turn.now):
        if state.runs or state.wishes:
            turn.put_off()
        return
    for run in state.runs:
        turn.wake("close", run, run.due_at)
        if run.retry_at is not None and run.retry_at < run.closes_at:
            turn.wake("retry", run, run.retry_at)
    take_up(turn)


def _united(mine: CustomerState, other: CustomerState) -> CustomerState:
    """Every contact of both, and their newest happenings."""
    history = sorted((*mine.history, *other.history), key=lambda happening: happening.at)
    joined = dict(mine.joined)
    for name, one in other.joined.items():
        joined[name] = _joining(joined.get(name), one)
    return replace(
        mine,
        history=tuple(history[-HISTORY_MAX:]),
        reservations=together(mine.reservations, other.reservations),
        touches=touched(mine.touches, other.touches),
        wishes=(*mine.wishes, *other.wishes)[:WISHES_MAX],
        joined=_newest(joined),
        declined=offered.joined(mine.declined, other.declined),
        served=_later(mine.served, other.served),
        came_at=latest(mine.came_at, other.came_at),
    )


def _joining(known: Joining | None, heard: Joining) -> Joining:
    return heard if known is None else Joining(known.parts | heard.parts, max(known.until, heard.until))


def _later(mine: Mapping[str, datetime], other: Mapping[str, datetime]) -> dict[str, datetime]:
    """Of each campaign the later occurrence: what was one's turn was the turn of both."""
    return {**mine, **{key: max(at, mine.get(key, at)) for key, at in other.items()}}


def _newest(joined: Mapping[str, Joining]) -> dict[str, Joining]:
    return dict(sorted(joined.items(), key=lambda one: one[1].until)[-JOINED_MAX:])


def _open(state: CustomerState) -> Among:
    """The runs that are open with their waves, and those of which only the goal is."""
    return {goal.run_id: "" for goal in state.goals} | {run.run_id: run.wave for run in state.runs}
