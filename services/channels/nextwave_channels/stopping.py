"""A stop said at this service (operator, provider) takes effect at once: it becomes a fact and withdraws what is queued."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nextwave_contracts.actions import Contact
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels import delivery as life
from nextwave_channels import facts, gate, store
from nextwave_channels.gate import Fact


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
    return [
        Fact(subject=subject, kind="opt", channel=contact.channel, stopped=True, at=now, source=source)
        for subject in sorted(set(contact.subjects))
    ]
