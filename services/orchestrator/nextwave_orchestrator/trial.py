"""What a campaign would do with one customer and these events, step by step: the same fold as in earnest, in memory, without effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from nextwave_contracts.actions import ActionMessage, Contact, Withdraw
from nextwave_contracts.customers import Change, CustomerUpdated, Snapshot
from nextwave_contracts.decisions import Decision, DecisionMessage, GoalReached, RunEnded, RunStarted, WaveClosed
from nextwave_contracts.faults import Fault, FaultyError
from nextwave_contracts.money import in_words
from nextwave_contracts.outcomes import Outcome, OutcomeKind
from nextwave_contracts.topics import CUSTOMERS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Taken, Timer

from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.fold import Decider, Unit
from nextwave_orchestrator.triggers import walk

STEPS_MAX = 1000
"""Events and timers of one trial; where there are more, it ends there."""
CROSSED = ("churn.band", "stage", "value.cell")


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happens at an instant: an event, an outcome of the last contact, or the profile becoming another; one of them."""

    at: datetime
    event: str = ""
    outcome: OutcomeKind | None = None
    profile: Snapshot | None = None
    data: dict[str, Any] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would be said; `text` tells it, `message` is all of it, as it would go out."""

    at: datetime
    kind: Literal["enters", "decides", "contacts", "withdraws", "closes", "ends", "reaches_goal"]
    wave: str = ""
    text: str
    message: dict[str, Any]


def try_out(catalogue: Catalogue, profile: Snapshot, events: Sequence[Event], span: tuple[datetime, datetime]) -> tuple[Step, ...]:
    """What would be said in this span of time, in its order. `catalogue` holds the one campaign.

    When the span begins the customer becomes known and the campaign is published. Other campaigns, the contacts that they made, and
    budgets play no part. Raises `FaultyError`.
    """
    begins, until = span
    trial = _Trial(catalogue, profile, begins)
    trial.take(CustomerUpdated(customer_id=profile.customer_id, at=trial.now, profile=profile))
    trial.open(catalogue)
    for n, event in sorted(enumerate(events), key=lambda one: one[1].at):
        trial.wait(event.at)
        trial.take(trial.message(n, event))
    trial.wait(until)
    return tuple(trial.steps)


class _Trial:
    """One customer's time; it goes on as events and timers come due."""

    def __init__(self, catalogue: Catalogue, profile: Snapshot, now: datetime) -> None:
        self.now = now
        self.steps: list[Step] = []
        self._profile = profile
        self._unit = Unit(0, 1)
        self._decider = Decider(lambda: catalogue)
        self._timers: list[Timer] = []
        self._taken = 0
        self._contact: Contact | None = None

    def message(self, n: int, event: Event) -> CustomerUpdated:
        """The event as scoring would report it. Raises `FaultyError`."""
        given = [name for name in ("event", "outcome", "profile") if getattr(event, name)]
        if len(given) != 1:
            raise FaultyError(
                [Fault(f"/events/{n}", f"{' and '.join(given) or 'nothing'} happens", "give one of event, outcome and profile")]
            )
        known, self._profile = self._profile, event.profile or self._profile
        return CustomerUpdated(
            customer_id=known.customer_id,
            at=event.at,
            touchpoint=self._touchpoint(n, event) if event.event else None,
            outcome=self._outcome(n, event.outcome, event.at) if event.outcome else None,
            profile=self._profile,
            changes=tuple(_changes(known, self._profile)),
        )

    def open(self, catalogue: Catalogue) -> None:
        """The campaign lets people in from now on, as publishing it does: what it lets in by schedule is found by its own walk."""
        self._timers += [Timer(0, self.now, campaign.key, walk.OPENED, b"0") for campaign in catalogue.live]

    def take(self, message: CustomerUpdated) -> None:
        """Takes a message in."""
        self.now = max(self.now, message.at)
        self._fold(Taken(CUSTOMERS, 0, self._taken, self.now, message))

    def wait(self, until: datetime) -> None:
        """Lets time pass: every timer due by then fires at its time."""
        while due := sorted((t for t in self._timers if t.due_at <= until), key=lambda t: (t.due_at, t.key, t.kind)):
            if self._taken >= STEPS_MAX:
                return
            self._timers.remove(due[0])
            self.now = max(self.now, due[0].due_at)
            self._fold(due[0])
        self.now = max(self.now, until)

    def _fold(self, item: Taken | Timer) -> None:
        self._taken += 1
        if isinstance(item, Timer) and item.kind == walk.WALK:
            self._unit.pages[item.key, item.due_at] = tuple(self._unit.states)
        said = [outgoing.message for outgoing in self._decider.fold(self._unit, item, self.now)]
        self._timers += self._unit.timers
        self._unit.timers.clear()
        self.steps += [step for message in said for step in _steps(message)]
        self._contact = next((message for message in reversed(said) if isinstance(message, Contact)), self._contact)

    def _touchpoint(self, n: int, event: Event) -> Touchpoint:
        return Touchpoint(
            id=f"event-{n}",
            source="trial",
            type=event.event,
            identifiers=self._profile.identifiers,
            occurred_at=event.at,
            received_at=event.at,
            data=event.data,
        )

    def _outcome(self, n: int, kind: OutcomeKind, at: datetime) -> Outcome:
        contact = self._contact
        if contact is None:
            raise FaultyError([Fault(f"/events/{n}/outcome", f"{kind} of no contact", "put it after the event that leads to a contact")])
        return Outcome(
            id=f"outcome-{n}",
            action_id=contact.action_id,
            customer_id=contact.customer_id,
            campaign=contact.campaign,
            version=contact.version,
            wave=contact.wave,
            run_id=contact.run_id,
            channel=contact.channel,
            kind=kind,
            at=at,
            segment=contact.segment,
        )


def _changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    for name, was, is_now in zip(CROSSED, _crossed(before), _crossed(after), strict=True):
        if was != is_now:
            yield Change(field=name, before=was, after=is_now)


def _crossed(profile: Snapshot) -> tuple[str, str, str]:
    return profile.churn.band, profile.stage, profile.value.cell


def _steps(message: ActionMessage | DecisionMessage) -> Iterator[Step]:
    match message:
        case RunStarted():
            text = "enters" + (", is held out" if message.holdout else "") + (f", in segment {message.segment}" if message.segment else "")
            yield _step("enters", message, text)
        case Decision():
            until = f" until {message.until.isoformat()}" if message.until else ""
            yield _step(
                "decides", message, f"{message.result}{until}: {message.reason}" + (f" by {message.channel}" if message.channel else "")
            )
        case Contact():
            text = message.content.subject or message.content.text
            yield _step("contacts", message, f"by {message.channel}: {text[:80]}")
        case WaveClosed():
            ended = f", the contact was {message.reach}" if message.reach else ""
            yield _step("closes", message, ("with a response" if message.responded else "without a response") + ended)
        case RunEnded():
            yield _step("ends", message, message.reason)
        case GoalReached():
            yield _step("reaches_goal", message, f"worth {in_words(message.value, message.currency)}")
        case Withdraw():
            yield _step("withdraws", message, message.reason)
        case _:
            return  # what concerns campaigns or reports, and not this customer


def _step(kind: Any, message: Any, text: str) -> Step:
    at = message.decided_at if isinstance(message, Contact) else message.at
    return Step(at=at, kind=kind, wave=getattr(message, "wave", ""), text=text, message=msgspec.to_builtins(message))


def horizon(catalogue: Catalogue, events: Sequence[Event], begins: datetime) -> datetime:
    """Until when everything that these events, or the next occurrence of its schedule, begin has closed, as far as windows alone say."""
    last = max((event.at for event in events), default=begins)
    windows = (wave.window for campaign in catalogue.live for wave in campaign.waves)
    return max([last, *_next_occurrences(catalogue, begins)]) + sum(windows, timedelta()) + timedelta(days=1)


def _next_occurrences(catalogue: Catalogue, begins: datetime) -> Iterator[datetime]:
    for timetable in (campaign.schedule for campaign in catalogue.scheduled):
        local = None if timetable is None else timetable.next_after(begins)
        if timetable is not None and local is not None:
            yield timetable.ends_at(local)
