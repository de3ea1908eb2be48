"""Takes actions and holds in: contacts become deliveries, stops become facts and withdraw what is queued, in the same batch.

A stop by text is confirmed by one text, unless it says nothing new (see `confirming`).

It also publishes what dispatchers and callbacks report: their outcomes come as timers of the customer's partition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from nextwave_contracts.actions import Contact, ResumeCampaign, StopCampaign, Withdraw
from nextwave_contracts.holds import Hold
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import ACTIONS, HOLDS, OUTCOMES, Topic
from nextwave_contracts.wire import decode
from nextwave_runtime import timers
from nextwave_runtime.application import Outgoing, Taken, Timer, Work
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import confirming, facts, gate, store, texted
from nextwave_channels import delivery as life
from nextwave_channels.delivery import Delivery, Step
from nextwave_channels.gate import Fact, Stops

PROCESSOR = "channels"
"""The name under which the progress of reading `actions` and `holds` is kept."""
STOP_TIMER = "stop"
"""Kind of the timer (key: the campaign) that goes on withdrawing what is queued for a stopped campaign."""
STOP_MAX = 100
"""Deliveries of stopped campaigns withdrawn in one batch; the rest follows by timer, and the gate keeps them unsent meanwhile.

A claim has 0.6 s for its ten round trips: larger pieces, one for each partition, would keep the loop too busy for it.
"""


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one batch can touch: the deliveries that are queued or being sent, the stops in force, and what came of the fold."""

    partition: int
    partitions: int
    now: datetime
    existing: set[str]
    unsent: dict[str, Delivery]
    facts: dict[tuple[str, ...], Fact]
    campaigns: dict[str, tuple[datetime, bool]]
    texts: dict[str, Contact] = field(default_factory=dict)
    """The last text to each number that says stop, by the number's keyed hash."""
    full: bool = False
    """More is queued for a stopped campaign than was loaded: there was too much, or a claim had some of it in its hands."""
    new: dict[str, Delivery] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    said: dict[tuple[str, ...], Fact] = field(default_factory=dict)
    timers: list[Timer] = field(default_factory=list)

    def stops(self) -> Stops:
        """The stops in force, with what this batch said so far."""
        by_subject: dict[str, tuple[Fact, ...]] = {}
        for fact in self.facts.values():
            by_subject[fact.subject] = (*by_subject.get(fact.subject, ()), fact)
        return Stops(facts=by_subject, campaigns=frozenset(name for name, (_, stopped) in self.campaigns.items() if stopped))


class Intake:
    """The channels' part of the processor. `channels`: those with an adapter; `wake` is called with each channel that got work.

    `confirmation`: the words that confirm a stop by text; empty: it is not confirmed.
    """

    name = PROCESSOR
    inputs: tuple[Topic, ...] = (ACTIONS, HOLDS)
    timers_on: Topic = ACTIONS
    hands_over: frozenset[str] = frozenset({store.OUTCOME_TIMER, STOP_TIMER})

    def __init__(self, channels: frozenset[str], wake: Callable[[str], None], confirmation: str = "") -> None:
        self._channels = channels
        self._wake = wake
        self._confirmation = confirmation

    async def load(self, connection: AsyncConnection, work: Work) -> Batch:
        """Locks what stops can touch; the gate's lock is only taken by a batch that holds a stop.

        Whatever goes on withdrawing for a stopped campaign goes without it: the gate keeps the rest unsent, and a backlog that takes
        minutes to withdraw must not keep the claims of everybody else waiting.
        """
        messages = [taken.message for taken in work.taken]
        holds = [m for m in messages if isinstance(m, Hold)]
        stopping = {m.campaign for m in messages if isinstance(m, StopCampaign)}
        stopped = stopping | {timer.key for timer in work.timers if timer.kind == STOP_TIMER}
        runs = {(m.customer_id, m.run_id) for m in messages if isinstance(m, Withdraw)}
        asked = [hold for hold in holds if hold.confirm_by is not None and self._confirmation]
        texts = await texted.last_texts(connection, (s for hold in asked for s in hold.subjects)) if asked else {}
        if holds or stopping or runs or any(isinstance(m, ResumeCampaign) for m in messages):
            await store.enter_stop(connection)
        reviewed = {hold.reference for hold in holds if hold.kind in gate.OF_VERDICTS and hold.reference}
        subjects = {subject for hold in holds for subject in hold.subjects} | await facts.said_by(connection, reviewed)
        limited = (stopped, work.partition, STOP_MAX)
        unsent = await store.lock_unsent(connection, runs=runs, subjects=subjects, campaigns=limited)
        met = [*(d.contact for d in unsent), *texts.values()] if subjects else []
        about = subjects.union(*(contact.subjects for contact in met))
        known = await facts.about(connection, about) if about else []
        named = {m.campaign for m in messages if isinstance(m, StopCampaign | ResumeCampaign)} | stopped
        contacts = [m.action_id for m in messages if isinstance(m, Contact)] + [confirming.name_of(hold) for hold in asked]
        return Batch(
            partition=work.partition,
            partitions=work.partitions,
            now=work.now,
            existing=await store.existing(connection, contacts) if contacts else set(),
            unsent={d.contact.action_id: d for d in unsent},
            facts={fact.scope: fact for fact in known},
            campaigns=await facts.campaigns(connection, named) if named else {},
            texts=texts,
            full=bool(stopped) and await store.queued_for(connection, stopped, work.partition, (d.contact.action_id for d in unsent)),
        )

    def fold(self, unit: Batch, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]:
        """Takes one message or timer in; returns the outcomes to publish."""
        if isinstance(item, Timer):
            return fire(unit, item, now)
        match item.message:
            case Contact() as contact:
                return take(unit, contact, now, self._channels)
            case Withdraw() as message:
                return withdraw(unit, message, now)
            case StopCampaign(campaign=campaign, at=at):
                return turn_campaign(unit, campaign, (at, True), now)
            case ResumeCampaign(campaign=campaign, at=at):
                return turn_campaign(unit, campaign, (at, False), now)
            case Hold() as hold:
                said = gate.facts_of(gate.in_full(hold, unit.facts.values()), item.at)
                answer = self._answer(unit, hold, said, now)
                return chain(take_hold(unit, said, now), take(unit, answer, now, self._channels) if answer else ())
            case other:
                raise AssertionError(other)

    def _answer(self, unit: Batch, hold: Hold, said: list[Fact], now: datetime) -> Contact | None:
        """The text that confirms the hold; None where the number had said stop before, or has said start since, or never got a text."""
        anew = (f.subject for f in said if f.subject in unit.texts and gate.stops_anew(f, unit.facts.values()))
        number = next(anew, None)
        return confirming.confirmation(hold, unit.texts[number], self._confirmation, now) if number else None

    async def save(self, connection: AsyncConnection, unit: Batch) -> None:
        """Writes deliveries, steps, facts and timers back. A delivery that came and went in one batch is stored as it ended."""
        ended = {step.delivery.contact.action_id: step for step in unit.steps}
        new = [ended[name].delivery if name in ended else d for name, d in unit.new.items()]
        await store.insert(connection, new, unit.now, unit.partitions)
        await store.remember(connection, [step for name, step in ended.items() if name in unit.new])
        await store.update(connection, [step for name, step in ended.items() if name not in unit.new])
        await facts.put(connection, gate.newest((), unit.said.values()))
        await facts.put_campaigns(connection, unit.campaigns)
        await timers.schedule(connection, unit.timers)
        for channel in {d.contact.channel for d in new if d.state == "due"}:
            self._wake(channel)


def take(unit: Batch, contact: Contact, now: datetime, channels: frozenset[str]) -> Iterator[Outgoing]:
    """A contact becomes a delivery, due at the next permitted instant; the same action again changes nothing."""
    name = contact.action_id
    if name in unit.existing or name in unit.new:
        return
    delivery = life.queue(contact, gate.opening(contact.permitted, now, now) or now)
    unit.new[name] = unit.unsent[name] = delivery
    if contact.channel not in channels:
        yield from _end(unit, [delivery], now, ("failed", f"no adapter for channel {contact.channel}"))


def withdraw(unit: Batch, message: Withdraw, now: datetime) -> Iterator[Outgoing]:
    """What is queued for the run, or its one action, is not sent any more; what is being sent is not tried again."""
    meant = [
        d
        for d in unit.unsent.values()
        if (d.contact.customer_id, d.contact.run_id) == (message.customer_id, message.run_id)
        and message.action_id in {"", d.contact.action_id}
    ]
    yield from _end(unit, meant, now, ("withdrawn", message.reason))


def turn_campaign(unit: Batch, campaign: str, said: tuple[datetime, bool], now: datetime) -> Iterator[Outgoing]:
    """A campaign stops or goes on. Each partition hears it in its own time, so an older word never undoes a newer one."""
    unit.campaigns[campaign] = max(said, unit.campaigns.get(campaign, said))
    if unit.campaigns[campaign][1]:
        yield from _withdraw_campaign(unit, campaign, now)


def take_hold(unit: Batch, said: list[Fact], now: datetime) -> Iterator[Outgoing]:
    """The facts of a stop or its lifting, one for each name of the customer; what is queued for them and now forbidden is withdrawn."""
    subjects = {fact.subject for fact in said}
    for fact in gate.newest([unit.facts[f.scope] for f in said if f.scope in unit.facts], said):
        unit.facts[fact.scope] = unit.said[fact.scope] = fact
    stops = unit.stops()
    for d in [d for d in unit.unsent.values() if subjects & set(d.contact.subjects)]:
        reason = gate.forbidden(d.contact, stops, now)
        if reason:
            yield from _end(unit, [d], now, ("withdrawn", reason))


def fire(unit: Batch, timer: Timer, now: datetime) -> Iterator[Outgoing]:
    """An outcome of a dispatcher or callback is published, or the withdrawing of a stopped campaign goes on."""
    if timer.kind == store.OUTCOME_TIMER:
        yield Outgoing(OUTCOMES, decode(timer.payload, Outcome))
    elif timer.kind == STOP_TIMER and unit.campaigns.get(timer.key, (now, False))[1]:
        yield from _withdraw_campaign(unit, timer.key, now)


def _withdraw_campaign(unit: Batch, campaign: str, now: datetime) -> Iterator[Outgoing]:
    meant = [d for d in unit.unsent.values() if d.contact.campaign == campaign]
    if unit.full:
        unit.timers.append(Timer(unit.partition, now, campaign, STOP_TIMER))
    yield from _end(unit, meant, now, ("withdrawn", "campaign_stopped"))


def _end(unit: Batch, meant: list[Delivery], now: datetime, how: tuple[str, str]) -> Iterator[Outgoing]:
    kind, reason = how
    for delivery in meant:
        step = life.give_up(delivery, now, "failed", reason) if kind == "failed" else life.withdraw(delivery, now, reason)
        unit.steps.append(step)
        del unit.unsent[delivery.contact.action_id]
        if step.outcome:
            yield Outgoing(OUTCOMES, step.outcome)
