"""A provider that answers nobody delays only its own channel: the others keep their rate, measured against the same run with all well."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from nextwave_contracts.actions import Channel, Contact
from ring.backlog import Backlog, backlog_of
from ring.ring import Ring, start, stop, until

PROVIDERS: dict[Channel, str] = {"email": "smtp", "sms": "twilio", "call": "twilio"}
SLOTS = 16
LATENCIES_SECONDS = (1.6, 1.8, 2.0, 2.2, 2.4)
SLOW: list[dict[str, Any]] = [
    {"kind": "slow_first_byte", "seconds": seconds, "share": 1 / (len(LATENCIES_SECONDS) - n), "seed": n}
    for n, seconds in enumerate(LATENCIES_SECONDS)
]
"""Every provider takes about two seconds for an answer: the rates follow from that and the slots of each, not from how busy the machine
is. As many calls have each latency, so that the sends of a channel soon march in step no more: else a window's edge cuts off all of them
or none, and the rate of one window differs from the next by a tenth for no other reason."""
DEAD: list[dict[str, Any]] = [{"kind": "half_open", "provider": "call", "seconds": 60}, *SLOW]
WINDOW_SECONDS = 20.0
WINDOWS = 3
"""Well and dead in turns, so that what else the machine does meets both alike."""
EACH = 2000
"""Deliveries queued on each channel: more than all windows can send."""
KEPT_MIN = 0.95
ROUTES = [
    *({"channel": channel, "provider": provider, "slots": SLOTS} for channel, provider in PROVIDERS.items()),
    {"channel": "sms", "provider": "gateway", "slots": 1},  # few, so that the queue of texts lasts
]


@pytest.fixture(scope="module")
async def backlog(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Backlog]:
    """Channels alone, on the wall's clock, with work for every provider."""
    state: Path = tmp_path_factory.mktemp("isolated") / "state"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NEXTWAVE_ROUTES", json.dumps(ROUTES))
        start(state, *(option for service in ("scoring", "orchestrator") for option in ("--replicas", f"{service}=0")))
    try:
        async with httpx.AsyncClient(timeout=30) as client, backlog_of(Ring(state, client)) as filled:
            await put_faults(filled, SLOW)
            await filled.put(contact for channel in PROVIDERS for contact in waiting(filled, channel))
            yield filled
    finally:
        stop(state)


def waiting(backlog: Backlog, channel: Channel) -> list[Contact]:
    """One contact each for many customers: what limits a channel is its provider, not a customer's caps."""
    return [backlog.contact(f"{channel}{n}", 0, value=1.0, campaign="isolated", channel=channel) for n in range(EACH)]


async def put_faults(backlog: Backlog, faults: list[dict[str, Any]]) -> None:
    answer = await backlog.ring.client.put(backlog.ring.endpoints["simulator"] + "/faults", json={"faults": faults})
    assert answer.status_code == 200, answer.text


async def calls(backlog: Backlog, since: float, answer: str) -> int:
    """How many calls got this answer since an instant (wall)."""
    rows = [row for row in await backlog.ring.ledger() if datetime.fromisoformat(row["at"]).timestamp() >= since]
    return sum((row["kind"], row["answer"]) == ("call", answer) for row in rows)


async def rates(backlog: Backlog) -> Counter[str]:
    """How many each channel hands over in a window from now."""
    began = time.time()
    await asyncio.sleep(WINDOW_SECONDS)
    ended = datetime.fromtimestamp(began + WINDOW_SECONDS, UTC)
    rows = [row for row in await backlog.ring.ledger() if row["accepted"] and began <= datetime.fromisoformat(row["at"]).timestamp()]
    return Counter(row["kind"] for row in rows if datetime.fromisoformat(row["at"]) < ended)


async def test_a_provider_that_answers_nobody_leaves_the_others_at_least_95_percent_of_their_rate(backlog: Backlog) -> None:
    well: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    for _ in range(WINDOWS):
        await put_faults(backlog, SLOW)
        healed = time.time()

        async def calls_flow(since: float = healed) -> bool:
            return await calls(backlog, since, "slow_first_byte") >= SLOTS  # none of the dead ones holds a slot any more

        await until(calls_flow, "calls again", seconds=180)
        well += await rates(backlog)
        await put_faults(backlog, DEAD)
        died = time.time()

        async def stuck(since: float = died) -> bool:
            return await calls(backlog, since, "half_open") >= SLOTS // 2

        await until(stuck, "calls that nobody answers", seconds=60)
        dead += await rates(backlog)
    for kind in ("email", "sms"):
        assert well[kind] > 0
        assert dead[kind] / well[kind] >= KEPT_MIN, f"{kind}: {dead[kind]} of {well[kind]}"
    assert dead["call"] < well["call"] / 2, "the dead provider was none"
    queued = await backlog.ask("select channel, count(*) from deliveries where state = 'due' group by channel")
    assert dict(queued).keys() == PROVIDERS.keys(), "a queue ran empty, so its rate says nothing"
