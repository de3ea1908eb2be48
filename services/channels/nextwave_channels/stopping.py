"""A stop said at this service (operator, provider) takes effect at once: it becomes a fact and withdraws what is queued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nextwave_contracts.actions import Contact
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import delivery as life
from nextwave_channels import facts, gate, store
from nextwave_channels.answers import Refused
from nextwave_channels.callbacks.evidence import Effect
from nextwave_channels.gate import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Whom a provider speaks of: every keyed hash that names them, that of the address, and what they were written to about."""

    subjects: tuple[str, ...]
    address_subject: str
    channel: str
    purpose: str


async def record_facts(connection: AsyncConnection, said: Sequence[Fact], now: datetime, partitions: int) -> int:
    """Stores facts and withdraws what they forbid; returns how many queued deliveries that were (what is being sent is only marked).

    It takes the gate's lock, so the caller must not have locked a row yet.
    """
    await store.enter_stop(connection)
    await facts.put(connection, gate.newest((), said))
    unsent = await store.lock_unsent(connection, subjects={fact.subject for fact in said})
    stops = await facts.stops(connection, [d.contact for d in unsent])
    reasons = [(d, gate.forbidden(d.contact, stops, now)) for d in unsent]
    steps = [life.withdraw(d, now, reason) for d, reason in reasons if reason]
    await store.report(connection, steps, partitions)
    return sum(step.delivery.state == "withdrawn" for step in steps)


def opt_out(contact: Contact, now: datetime, source: str) -> list[Fact]:
    """The recipient told the provider to stop: nothing more on this channel, by any name that we know of them."""
    return of_effect("opted_out", party_of(contact), now, source)


def of_refusal(refused: Refused, contact: Contact, now: datetime) -> list[Fact]:
    """What it means that a provider refused: it knows that the recipient said stop, or that there is no such address.

    A browser that is gone closes nothing: it may subscribe again under the same name.
    """
    closed = refused.bounced and contact.channel != "webpush"
    effect: Effect = "opted_out" if refused.opted_out else "closed" if closed else ""
    return of_effect(effect, party_of(contact), now, f"provider:{contact.channel}")


def party_of(contact: Contact) -> Party:
    """Whom a contact is for."""
    return Party(subjects=contact.subjects, address_subject=contact.address_subject, channel=contact.channel, purpose=contact.purpose)


def of_effect(effect: Effect, party: Party, now: datetime, source: str) -> list[Fact]:
    """What an effect of a provider's evidence means for the party. A customer's refusal counts by any name that we know of them."""
    purposes = {"complained": "", "opted_out": "", "unsubscribed": party.purpose}
    said = [
        Fact(subject=name, kind="opt", channel=party.channel, purpose=purposes[effect], stopped=True, at=now, source=source, reason=effect)
        for name in sorted(set(party.subjects))
        if effect in purposes
    ]
    if effect in {"closed", "complained"} and party.address_subject:
        closed = Fact(
            subject=party.address_subject, kind="address", channel=party.channel, stopped=True, at=now, source=source, reason=effect
        )
        return [*said, closed]
    return said
