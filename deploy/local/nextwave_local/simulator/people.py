"""Simulated people: what one of them does about one message, decided by seed, address and action, so a run can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from nextwave_local.simulator.draws import draw, exponential

Deed = Literal["open", "click", "unsubscribe", "stop", "complain", "resolve", "buy", "spam", "bounce", "status", "wrap_up"]
Reached = Literal["email", "sms", "call", "webpush"]
"""What reaches a person; a webhook reaches a machine."""
WAKING_HOURS = (8, 21)
"""People act between these hours, UTC."""


class Habits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Probabilities on one channel, each for itself. What is left of 1 is to ignore it."""

    bounce: float = 0.0
    """The address does not exist: e-mail bounces, a text is undelivered, a call fails."""
    answer: float = 0.0
    """A call is answered."""
    busy: float = 0.0
    """An unanswered call was busy rather than not picked up."""
    open: float = 0.0
    click: float = 0.0
    """Of those who opened (e-mail) or received (texts, pushes)."""
    refuse: float = 0.0
    """E-mail: unsubscribes (of those who opened). Call: refuses (of those who answered)."""
    accept: float = 0.0
    """Call: says yes (of those who answered and did not refuse)."""
    stop: float = 0.0
    """Texts: replies STOP."""
    spam: float = 0.0
    """E-mail: reported to the provider."""
    complain: float = 0.0
    """Opens a complaint with the company."""
    buy: float = 0.0
    """Buys, of those who clicked or accepted."""


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people behave. `user_ids` names the shop's user of an address, for orders; without it an order names the address."""

    seed: int = 1
    channels: dict[Reached, Habits] = {}
    delay_hours: float = 5.0
    """Mean time to a reaction, business hours."""
    resolve_hours: float = 20.0
    """Mean time until a complaint is resolved."""
    satisfied: float = 0.8
    """Share of complaints resolved to the customer's satisfaction."""
    order_amount: int = 5_000
    """Mean order, minor units."""
    currency: str = "EUR"
    user_ids: dict[str, str] = {}


@dataclass(frozen=True)
class Received:
    """A message that reached a person's device at a business instant."""

    channel: Reached
    address: str
    action_id: str
    at: datetime


@dataclass(frozen=True)
class Act:
    """One thing a person (or the line to them) does at a business instant."""

    deed: Deed
    at: datetime
    detail: dict[str, Any]


class _Person:
    """One person and one message: their chances and their moments, all from the seed."""

    def __init__(self, behaviour: Behaviour, received: Received) -> None:
        self.behaviour = behaviour
        self.received = received
        self.habits = behaviour.channels.get(received.channel, Habits())

    def chance(self, purpose: str) -> float:
        return draw(self.behaviour.seed, self.received.address, self.received.action_id, purpose)

    def does(self, purpose: str, probability: float) -> bool:
        return self.chance(purpose) < probability

    def moment(self, purpose: str, since: datetime, mean_hours: float) -> datetime:
        return waking(since + timedelta(hours=exponential(mean_hours, self.chance(f"{purpose} when"))))


def reactions(behaviour: Behaviour, received: Received) -> tuple[Act, ...]:
    """What this person does about this message, in the order of its instants; empty: nothing."""
    person = _Person(behaviour, received)
    acts = _REACTING[received.channel](person)
    if acts and person.does("complain", person.habits.complain):
        acts += _complaint(person)
    return tuple(sorted(acts, key=lambda act: act.at))


def waking(instant: datetime) -> datetime:
    """The instant itself, or the next morning's hour at which people are up (with the same minutes)."""
    first, last = WAKING_HOURS
    if first <= instant.hour < last:
        return instant
    morning = instant.replace(hour=first)
    return morning if instant.hour < first else morning + timedelta(days=1)


def _to_mail(person: _Person) -> list[Act]:
    habits, at = person.habits, person.received.at
    if person.does("bounce", habits.bounce):
        return [Act("bounce", at + timedelta(seconds=20), {})]
    acts = [Act("status", at + timedelta(seconds=2), {"status": "delivered"})]
    if not person.does("open", habits.open):
        return acts
    opened = person.moment("open", at, person.behaviour.delay_hours)
    acts.append(Act("open", opened, {}))
    if person.does("refuse", habits.refuse):
        acts.append(Act("unsubscribe", opened + timedelta(minutes=1), {}))
    elif person.does("spam", habits.spam):
        acts.append(Act("spam", opened + timedelta(minutes=1), {}))
    elif person.does("click", habits.click):
        acts += _clicked(person, opened + timedelta(minutes=2))
    return acts


def _to_text(person: _Person) -> list[Act]:
    habits, at = person.habits, person.received.at
    acts = [Act("status", at + timedelta(seconds=1), {"status": "sent"})]
    if person.does("bounce", habits.bounce):
        return [*acts, Act("status", at + timedelta(seconds=5), {"status": "undelivered", "code": 30003})]
    acts.append(Act("status", at + timedelta(seconds=4), {"status": "delivered"}))
    if person.does("stop", habits.stop):
        acts.append(Act("stop", person.moment("stop", at, person.behaviour.delay_hours), {"body": "STOP"}))
    elif person.does("click", habits.click):
        acts += _clicked(person, person.moment("click", at, person.behaviour.delay_hours))
    return acts


def _to_call(person: _Person) -> list[Act]:
    habits, at = person.habits, person.received.at
    acts = [Act("status", at + timedelta(seconds=second), {"status": status}) for second, status in ((1, "initiated"), (3, "ringing"))]
    ended = at + timedelta(seconds=30)
    if person.does("bounce", habits.bounce):
        return [*acts, Act("status", ended, {"status": "failed"})]
    if not person.does("answer", habits.answer):
        return [*acts, Act("status", ended, {"status": "busy" if person.does("busy", habits.busy) else "no-answer"})]
    seconds = 30 + int(exponential(150, person.chance("duration")))
    hung_up = at + timedelta(seconds=8 + seconds)
    acts.append(Act("status", at + timedelta(seconds=8), {"status": "in-progress", "answered_by": "human"}))
    acts.append(Act("status", hung_up, {"status": "completed", "answered_by": "human", "seconds": seconds}))
    return [*acts, *_wrapped_up(person, hung_up + timedelta(minutes=1))]


def _to_push(person: _Person) -> list[Act]:
    if not person.does("click", person.habits.click):
        return []
    return _clicked(person, person.moment("click", person.received.at, person.behaviour.delay_hours))


_REACTING: Mapping[Reached, Callable[[_Person], list[Act]]] = {"email": _to_mail, "sms": _to_text, "call": _to_call, "webpush": _to_push}


def _wrapped_up(person: _Person, at: datetime) -> list[Act]:
    refused = person.does("refuse", person.habits.refuse)
    accepted = not refused and person.does("accept", person.habits.accept)
    detail = {
        "disposition": "refused" if refused else "accepted" if accepted else "callback",
        "refusal": refused,
        "satisfaction": 1 + int(5 * person.chance("satisfaction")),
    }
    bought = accepted and person.does("buy", person.habits.buy)
    return [Act("wrap_up", at, detail), *([_purchase(person, at)] if bought else [])]


def _clicked(person: _Person, at: datetime) -> list[Act]:
    bought = person.does("buy", person.habits.buy)
    return [Act("click", at, {}), *([_purchase(person, at)] if bought else [])]


def _purchase(person: _Person, since: datetime) -> Act:
    amount = 100 + int(exponential(person.behaviour.order_amount, person.chance("amount")))
    return Act("buy", waking(since + timedelta(minutes=10)), {"amount": amount, "currency": person.behaviour.currency})


def _complaint(person: _Person) -> list[Act]:
    opened = person.moment("complain", person.received.at, person.behaviour.delay_hours)
    resolved = person.moment("resolve", opened, person.behaviour.resolve_hours)
    reference = f"complaint-{person.received.action_id}"
    satisfied = person.does("satisfied", person.behaviour.satisfied)
    return [
        Act("complain", opened, {"reference": reference}),
        Act("resolve", max(resolved, opened + timedelta(minutes=30)), {"reference": reference, "satisfied": satisfied}),
    ]
