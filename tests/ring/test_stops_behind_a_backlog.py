"""Stops behind 100,000 queued deliveries: no claim later than a second after the answer to the stop, and no call that followed one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from faults.observer.contacts import CALL_SECONDS
from nextwave_contracts.actions import Contact
from ring.backlog import Backlog, backlog_of
from ring.ring import Ring, campaign, start, stop, until

BACKLOG = 100_000
STOPPED_CUSTOMERS = 40
EACH = 60
"""Deliveries queued for each of them, spread over the next ones to be claimed: without its stop, each would soon have many more."""
EFFECTIVE = timedelta(seconds=1)
ARRIVED = EFFECTIVE + timedelta(seconds=CALL_SECONDS)
"""The provider's ledger says when a call was read, which on a busy machine is later than when it was made."""
STEADY = {"faults": [{"kind": "slow_first_byte", "provider": "smtp", "seconds": 0.1}]}
"""The mail server takes its time, so that the queue moves on during the whole test and not in one burst."""
GOES_ON = 200
"""So many claims of others after the last stop took effect show that the queue was moving all the time."""


@pytest.fixture(scope="module")
async def backlog(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Backlog]:
    """Ingest, orchestrator and channels on the wall's clock, with 100,000 deliveries of campaign `spring` in the queue."""
    state: Path = tmp_path_factory.mktemp("crowded") / "state"
    start(state, "--replicas", "scoring=0")
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            ring = Ring(state, client)
            await client.put(ring.endpoints["simulator"] + "/faults", json=STEADY)
            await ring.publish(campaign("spring", "spring.asked"))
            async with backlog_of(ring) as filled:
                await filled.put(filled.contact(f"many{n}", 0, value=n / BACKLOG, campaign="spring") for n in range(BACKLOG))
                yield filled
    finally:
        stop(state)


def front(backlog: Backlog, names: list[str], campaign_key: str) -> list[Contact]:
    """The next to be claimed, before all of the backlog: `EACH` of every customer, in turns."""
    pairs = [(name, number) for number in range(EACH) for name in names]
    return [backlog.contact(n, number, value=1e6 - place, campaign=campaign_key) for place, (n, number) in enumerate(pairs)]


async def goes_on(backlog: Backlog, names: set[str], since: datetime) -> None:
    """Waits until enough of these customers' deliveries were claimed after an instant."""

    async def enough() -> bool:
        return sum(customer in names and at > since for customer, at in await backlog.claims()) >= GOES_ON

    await until(enough, "claims of the others after the stop", seconds=120)


async def say_stop(backlog: Backlog, name: str, number: int) -> datetime:
    """Through the Segment door or the link of an e-mail, in turns; the instant of the 2xx."""
    if number % 2:
        await backlog.ring.track(name, "Unsubscribed")
    else:
        answer = await backlog.ring.client.post(backlog.unsubscribe_url(name, f"{name}-0"), content=b"List-Unsubscribe=One-Click")
        assert answer.status_code == 200, answer.text
    return datetime.now(UTC)


async def test_no_customer_is_claimed_or_written_to_later_than_a_second_after_their_stop(backlog: Backlog) -> None:
    stopping = [f"stopper{n}" for n in range(STOPPED_CUSTOMERS)]
    others = [f"other{n}" for n in range(STOPPED_CUSTOMERS)]
    pairs = zip(front(backlog, stopping, "front"), front(backlog, others, "front"), strict=True)
    await backlog.put(contact for pair in pairs for contact in pair)

    async def moving() -> bool:
        return len(await backlog.claims("front")) > len(stopping)

    await until(moving, "the first claims", every=0.05)
    stopped: dict[str, datetime] = {}
    for number, name in enumerate(stopping):
        stopped[name] = await say_stop(backlog, name, number)
        await asyncio.sleep(0.1)
    assert await backlog.count("state = 'due'") >= BACKLOG * 0.9, "the backlog does not stand any more"
    await goes_on(backlog, set(others), max(stopped.values()) + EFFECTIVE)

    late = [(name, at - stopped[name]) for name, at in await backlog.claims("front") if name in stopped and at > stopped[name] + EFFECTIVE]
    assert late == []
    written = [(row["to"].partition("@")[0], datetime.fromisoformat(row["at"])) for row in await backlog.ring.ledger()]
    assert [(name, at - stopped[name]) for name, at in written if name in stopped and at > stopped[name] + ARRIVED] == []
    assert {name for name, _ in written} >= {*others}, "the others were written to"
    for name in stopping:
        assert await backlog.count("customer_id = :name and state = 'due'", name=name) == 0
        assert await backlog.count("customer_id = :name and state = 'withdrawn' and detail = 'suppressed'", name=name) > 0, name


async def test_nothing_of_a_campaign_is_claimed_later_than_a_second_after_its_pause_and_the_rest_is_withdrawn(backlog: Backlog) -> None:
    spring = front(backlog, [f"spring{n}" for n in range(STOPPED_CUSTOMERS)], "spring")
    summer = front(backlog, [f"summer{n}" for n in range(STOPPED_CUSTOMERS)], "summer")
    await backlog.put(contact for pair in zip(spring, summer, strict=True) for contact in pair)

    async def moving() -> bool:
        return sum(name.startswith("spring") for name, _ in await backlog.claims("spring")) > STOPPED_CUSTOMERS

    await until(moving, "the first claims of the campaign", seconds=120)
    assert await backlog.count("state = 'due' and campaign = 'spring'") >= BACKLOG * 0.9
    await backlog.ring.api("orchestrator", "POST", "/v1/campaigns/spring:pause")
    paused = datetime.now(UTC)
    await goes_on(backlog, {contact.customer_id for contact in summer}, paused + EFFECTIVE)

    assert [(name, at - paused) for name, at in await backlog.claims("spring") if at > paused + EFFECTIVE] == []
    names = {contact.address for contact in spring}
    written = [(row["to"], datetime.fromisoformat(row["at"])) for row in await backlog.ring.ledger() if row["to"] in names]
    assert [(name, at - paused) for name, at in written if at > paused + ARRIVED] == []
    assert written

    async def withdrawn() -> bool:
        return await backlog.count("campaign = 'spring' and state in ('due', 'sending')") == 0

    await until(withdrawn, "the withdrawal of the whole backlog", seconds=600, every=1)
    done = datetime.now(UTC)
    instants = [at for _, at in await backlog.claims("summer") if paused < at < done]
    if await backlog.count("campaign = 'summer' and state = 'due'"):
        instants.append(done)
    longest = max(after - before for before, after in pairwise([paused, *instants]))
    assert longest < (done - paused) / 2, f"everybody else waited for {longest} of {done - paused} that the withdrawal took"
    assert await backlog.count("campaign = 'spring' and state = 'withdrawn' and detail = 'campaign_stopped'") >= BACKLOG * 0.9
