"""The way out in memory: claims under the real gate, an unreliable provider, its callbacks, and how people react to what reaches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from nextwave_channels import delivery as life
from nextwave_channels import gate, stopping
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.delivery import Delivery
from nextwave_channels.delivery import Step as Moved
from nextwave_contracts.actions import Contact
from nextwave_contracts.outcomes import OutcomeKind
from nextwave_contracts.topics import HOLDS
from unit.simulation.history import Called, Claimed, OptedOut, Step
from unit.simulation.ring import Ring
from unit.simulation.stages import Channels

LEASE = timedelta(seconds=60)
FRESH = timedelta(seconds=3)
STALE = Refused(detail="not sent: too long after its claim", permanent=False)


@dataclass(slots=True)
class Carrier:
    """Dispatchers and provider. `reached` is called with each contact that somebody gets to see."""

    ring: Ring
    channels: Channels
    chance: Random
    reached: Callable[[Contact], None]
    _heard: set[str] = field(default_factory=set)

    def plan(self, name: str) -> None:
        """Plans the claim of a delivery that was taken in."""
        self.ring.at(self.channels.deliveries[name].due_at + self.ring.weather.wait(), lambda: self._claim(name))

    def _claim(self, name: str) -> None:
        delivery, now = self.channels.deliveries[name], self.ring.now
        if delivery.state != "due" or delivery.due_at > now:
            return
        if self.ring.unread(HOLDS) and self.ring.broken != "horizon":
            self.ring.at(now + self.ring.weather.wait(), lambda: self._claim(name))
            return
        contact = delivery.contact
        ruling = gate.Claim() if self.ring.broken == "claim_gate" else gate.check(contact, self.channels.stops(contact), now, now)
        match ruling:
            case gate.Later(until=until):
                self._report(life.postpone(delivery, now, until))
                self.ring.at(until + self.ring.weather.wait(), lambda: self._claim(name))
            case gate.Never(kind=kind, reason=reason):
                self._report(life.give_up(delivery, now, kind, reason))
            case gate.Claim():
                begun = life.begin(delivery, now, LEASE.total_seconds())
                self._report(begun)
                self.ring.steps.append(Step(now, "claim", Claimed(name)))
                self._send(begun.delivery)

    def _send(self, begun: Delivery) -> None:
        """After a moment; sometimes the process stood still, or is killed before or after the provider was called."""
        weather, draw = self.ring.weather, self.chance.random()
        after = timedelta(seconds=self.chance.uniform(0, 2)) if draw > 0.05 else timedelta(seconds=self.chance.uniform(0, 90))
        self.ring.at(self.ring.now + LEASE + weather.wait(), lambda: self._lapse(begun))
        if weather.mishap():
            if self.chance.random() < 0.5:
                self.ring.at(self.ring.now + after, lambda: self._lost(begun, after))
            return

        def answered() -> None:
            answer = self._ask(begun, fresh=after <= FRESH)
            self.ring.at(self.ring.now + weather.wait(0.1), lambda: self._record(begun, answer))

        self.ring.at(self.ring.now + after, answered)

    def _lost(self, begun: Delivery, after: timedelta) -> None:
        """The provider was called, and nobody is there any more to hear its answer."""
        self._ask(begun, fresh=after <= FRESH)

    def _ask(self, begun: Delivery, *, fresh: bool) -> Answer:
        if not fresh:
            return STALE
        name, draw = begun.contact.action_id, self.chance.random()
        answer: Answer
        if draw < 0.72:
            answer, word, has_it = Accepted(provider_id=f"p{name[:8]}"), "accepted", True
        elif draw < 0.88:
            answer = Refused(
                detail="busy", permanent=draw > 0.84, retry_after_seconds=self.chance.choice([None, 60.0]), opted_out=draw > 0.87
            )
            word, has_it = "refused", False
        else:
            answer, word, has_it = Uncertain(detail="no answer"), "uncertain", self.chance.random() < 0.5
        self.ring.steps.append(Step(self.ring.now, "provider", Called(name, word, has_it)))  # type: ignore[arg-type]
        if has_it:
            self._follow(begun.contact)
        return answer

    def _follow(self, contact: Contact) -> None:
        """What the provider tells of it: twice, late and in any order; and the person sees it, or not."""
        kinds: list[OutcomeKind] = ["delivered"]
        draw = self.chance.random()
        if draw < 0.1:
            kinds = ["failed"]
        elif draw < 0.2:
            kinds = ["delivered", "bounced"]
        elif draw < 0.6:
            kinds += self.chance.choice([["opened"], ["opened", "clicked"], ["replied"], ["refused"]])
        for kind in kinds:
            for _ in range(1 + (self.chance.random() < 0.3)):
                wait = self.chance.choice([1.0, 60.0, 3_600.0, 90_000.0]) * self.chance.random()
                self.ring.at(self.ring.now + timedelta(seconds=wait), lambda kind=kind: self._callback(contact.action_id, kind))  # type: ignore[misc]
        if "failed" not in kinds and self.chance.random() < 0.6:
            self.ring.at(self.ring.now + timedelta(hours=self.chance.expovariate(0.2)), lambda: self.reached(contact))

    def _callback(self, name: str, kind: OutcomeKind) -> None:
        event = f"{name}/{kind}"
        if event in self._heard:
            return
        self._heard.add(event)
        delivery = self.channels.deliveries[name]
        if kind == "refused" and self.chance.random() < 0.5:
            self._opted_out(delivery.contact)
        step = life.learn(self.channels.deliveries[name], kind, self.ring.now)
        if step is not None:
            self._report(step)

    def _record(self, begun: Delivery, answer: Answer) -> None:
        name = begun.contact.action_id
        if isinstance(answer, Refused) and answer.opted_out:
            self._opted_out(begun.contact)
        stored = self.channels.deliveries[name]
        step = life.conclude(stored, answer, self.ring.now) if stored.attempt == begun.attempt else None
        if step is None:
            return
        self._report(step)
        if step.delivery.state == "due":
            wait = timedelta(seconds=step.delivery.held_seconds or 0.0)
            self.ring.at(self.ring.now + wait + self.ring.weather.wait(0.1), lambda: self._claim(name))

    def _lapse(self, begun: Delivery) -> None:
        stored = self.channels.deliveries[begun.contact.action_id]
        step = life.lose(stored, self.ring.now, "lost while sending") if stored.attempt == begun.attempt else None
        if step is not None:
            self._report(step)

    def _opted_out(self, contact: Contact) -> None:
        said = stopping.opt_out(contact, self.ring.now, "provider")
        self.channels.put_facts(said)
        self.ring.steps.append(Step(self.ring.now, "channels", OptedOut(contact.subjects, contact.channel)))
        for delivery in self.channels.queued_for(contact.subjects):
            reason = gate.forbidden(delivery.contact, self.channels.stops(delivery.contact), self.ring.now)
            if reason is not None:
                self._report(life.withdraw(delivery, self.ring.now, reason))

    def _report(self, step: Moved) -> None:
        timer = self.channels.report(step)
        if timer is not None:
            self.ring.set_timer(self.channels, timer)
