"""To the instant and to the cent, on the real Kafka and PostgreSQL: a window's end, a budget under a kill, a publication."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from ring.ring import Ring, campaign, until

ANSWERERS = 120
WINDOW = timedelta(minutes=45)
BEFORE_SECONDS, AFTER_SECONDS = 1.5, 0.3
"""From so long before the end of their windows until so long after it customers answer, evenly: those next to it within milliseconds."""
BUYERS, PAID_FOR = 60, 20
IN_FORCE_SECONDS = 1.0


def of(ring: Ring, kind: str, key: str) -> list[dict[str, Any]]:
    """Decisions, runs and waves of a campaign, by type."""
    return [m for m in ring.topic("decisions") if m["type"] == kind and m["campaign"] == key]


@asynccontextmanager
async def stalled(ring: Ring, service: str) -> AsyncIterator[None]:
    """All replicas of a service stand still."""
    replicas = [r for r in ring.endpoints["pids"] if r.startswith(f"{service}-")]
    for replica in replicas:
        ring.send_signal(replica, signal.SIGSTOP)
    try:
        yield
    finally:
        for replica in replicas:
            ring.send_signal(replica, signal.SIGCONT)


def received_at(ring: Ring, event: str) -> dict[str, datetime]:
    """When each customer's touchpoint of a type was received, by the broker's stamp (milliseconds of its clock)."""
    found = {}
    for record in ring.records("touchpoints"):
        touchpoint = json.loads(record.value) if record.value.startswith(b'{"') else {}
        if touchpoint.get("type") == event:
            found[touchpoint["identifiers"][0].removeprefix("customer_id:")] = ring.clock.at(record.timestamp_ms / 1000)
    return found


async def test_an_answer_counts_to_the_last_millisecond_of_the_window_though_scoring_stood_still(ring: Ring) -> None:
    response = {"any": [{"event": "brink.answered"}]}
    written = campaign("brink", "brink.asked", purpose="service")
    written["waves"][0] |= {"response": response, "window": "45m"}
    await ring.publish(written)
    names = [f"brink{n}" for n in range(ANSWERERS)]
    await asyncio.gather(*(ring.sign_up(name, number=400 + n, channels=()) for n, name in enumerate(names)))
    known = {(await ring.customer(name))["customer_id"]: name for name in names}
    await asyncio.gather(*(ring.track(name, "brink.asked") for name in names))
    made = await until(lambda: (d := of(ring, "decision", "brink")) and len(d) == ANSWERERS and d, "all first contacts", every=0.1)
    closes = {known[decision["customer_id"]]: datetime.fromisoformat(decision["at"]) + WINDOW for decision in made}

    async def answer(name: str, share: float) -> None:
        await asyncio.sleep(ring.clock.wall(closes[name]) + share * (BEFORE_SECONDS + AFTER_SECONDS) - BEFORE_SECONDS - time.time())
        await ring.track(name, "brink.answered")

    assert min(closes.values()) > ring.now() + timedelta(seconds=240), "too slow: the first window is nearly over"
    async with stalled(ring, "scoring"):
        await asyncio.gather(*(answer(name, n / ANSWERERS) for n, name in enumerate(names)))
    await until(lambda: len(of(ring, "wave_closed", "brink")) >= ANSWERERS, "all first waves closed", 120)
    answered = received_at(ring, "brink.answered")
    early = {name for name in names if answered[name] < closes[name]}
    assert len(early) not in {0, ANSWERERS}
    await until(lambda: len(ordered(ring, "brink")["remind"]) >= ANSWERERS - len(early), "the second wave's contacts", 60)
    await asyncio.sleep(2)
    told = {known[w["customer_id"]]: w["responded"] for w in of(ring, "wave_closed", "brink") if w["wave"] == "tell"}
    assert {name for name, responded in told.items() if responded} == early
    assert {known[customer] for customer in ordered(ring, "brink")["remind"]} == set(names) - early


def ordered(ring: Ring, key: str) -> dict[str, list[str]]:
    """By wave, the customers for whom a contact was ordered."""
    found: dict[str, list[str]] = {"tell": [], "remind": []}
    for action in ring.topic("actions"):
        if action["type"] == "contact" and action["campaign"] == key:
            found[action["wave"]].append(action["customer_id"])
    return found


async def test_a_budget_is_neither_overspent_nor_left_over_though_a_replica_is_killed_in_the_rush(ring: Ring) -> None:
    cost = (await ring.api("orchestrator", "GET", "/v1/policy"))["channel_costs"]["sms"]
    text = [{"segment": "*", "channels": [{"channel": "sms", "template": "purse-text"}]}]
    written = campaign("purse", "purse.asked", purpose="service", waves=[{"key": "tell", "window": "4h", "mixes": text}])
    written["budget"] = {"amount": PAID_FOR * cost + cost - 1, "currency": "EUR"}
    await ring.publish(written)
    names = [f"purse{n}" for n in range(BUYERS)]
    await asyncio.gather(*(ring.sign_up(name, number=600 + n, channels=()) for n, name in enumerate(names)))

    async def kill() -> None:
        await until(lambda: of(ring, "run_started", "purse"), "the first run", every=0.05)
        ring.send_signal("orchestrator-1", signal.SIGKILL)

    await asyncio.gather(kill(), *(ring.track(name, "purse.asked") for name in names))
    decisions = await until(lambda: (d := of(ring, "decision", "purse")) and len(d) >= BUYERS and d, "a decision for each", 120)
    assert Counter((d["result"], d["reason"]) for d in decisions) == {
        ("act", "permitted"): PAID_FOR,
        ("withhold", "budget"): BUYERS - PAID_FOR,
    }
    assert len(ordered(ring, "purse")["tell"]) == PAID_FOR
    left = await ring.api("orchestrator", "GET", "/v1/campaigns/purse/budget")
    assert (left["spent"], left["left"]) == (PAID_FOR * cost, cost - 1)


async def test_a_publication_is_in_force_within_a_second_beside_a_hundred_other_campaigns(ring: Ring) -> None:
    for n in range(100):
        await define(ring, campaign(f"crowd-{n}", f"crowd.asked_{n}"))
    await define(ring, campaign("prompt", "prompt.asked"))
    published = ring.clock.at(time.time())
    names = [f"prompt{n}" for n in range(60)]
    for name in names:
        await ring.track(name, "prompt.asked")
        await asyncio.sleep(0.03)
    asked = received_at(ring, "prompt.asked")
    ids = {name: (await ring.customer(name))["customer_id"] for name in names}
    late = {ids[name] for name in names if asked[name] >= published + timedelta(seconds=IN_FORCE_SECONDS * ring.clock.speed)}
    assert len(late) > 5, "the machine is too slow for this test: nearly everything was asked within the second"
    await until(
        lambda: late <= {run["customer_id"] for run in of(ring, "run_started", "prompt")}, "a run of each who asked a second later", 20
    )


async def define(ring: Ring, written: dict[str, Any]) -> None:
    """Writes and publishes a campaign, and waits for nothing."""
    for template in ("tell", "remind"):
        key = f"{written['key']}-{template}"
        await ring.api("orchestrator", "PUT", f"/v1/templates/{key}", {"key": key, "subject": "Hello", "text": "Here."})
    await ring.api("orchestrator", "PUT", f"/v1/campaigns/{written['key']}", written)
    await ring.api("orchestrator", "POST", f"/v1/campaigns/{written['key']}:publish")
