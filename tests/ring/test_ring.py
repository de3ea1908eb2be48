"""The whole ring on the real Kafka and PostgreSQL, as a user sees it: touchpoint in, right action out, outcome back."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from functools import partial
from typing import Any

from ring.ring import Ring, campaign, until

IN_FLIGHT_AT_A_KILL = 16
"""So many e-mails a channels replica sends at a time: only these may be unknown after it was killed once."""


async def accepted_by_providers(ring: Ring, key: str) -> list[str]:
    """Action ids of a campaign in the providers' ledgers, one for each accepted call."""
    actions = {a["action_id"] for a in ring.topic("actions") if a.get("campaign") == key and a["type"] == "contact"}
    return [row["action_id"] for row in await ring.ledger() if row["accepted"] and row["action_id"] in actions]


def of(messages: list[dict[str, Any]], kind: str, key: str) -> list[dict[str, Any]]:
    """Messages of one type and campaign."""
    return [m for m in messages if m["type"] == kind and m.get("campaign") == key]


async def test_a_touchpoint_becomes_a_contact_and_its_outcome_comes_back_into_the_customers_history(ring: Ring) -> None:
    await ring.publish(campaign("quotes", "quote.asked"))
    await ring.sign_up("ann", number=1)
    cause = await ring.track("ann", "quote.asked")
    rows = await until(lambda: accepted_by_providers(ring, "quotes"), "an e-mail at the provider")
    assert len(rows) == 1
    (decision,) = of(ring.topic("decisions"), "decision", "quotes")
    assert (decision["result"], decision["reason"], decision["action_id"]) == ("act", "permitted", rows[0])
    assert cause in decision["caused_by"]

    async def delivered() -> bool:
        ann = await ring.customer("ann")
        timeline = await ring.api("scoring", "GET", f"/v1/customers/{ann['customer_id']}/timeline")
        return "delivered" in str(timeline)

    await until(delivered, "the outcome in the customer's timeline")
    found = await ring.api("orchestrator", "GET", f"/v1/decisions?customer={decision['customer_id']}")
    assert decision["decision_id"] in str(found)
    deliveries = await ring.api("channels", "GET", f"/v1/deliveries?customer={decision['customer_id']}")
    assert rows[0] in str(deliveries)


async def test_the_same_touchpoint_again_changes_nothing(ring: Ring) -> None:
    await ring.publish(campaign("again", "again.asked"))
    await ring.sign_up("bob", number=2)
    for _ in range(5):
        await ring.track("bob", "again.asked", message_id="one-and-the-same")
    await until(lambda: accepted_by_providers(ring, "again"), "the e-mail")
    before = (await ring.customer("bob"))["version"]
    await ring.track("bob", "again.asked", message_id="one-and-the-same")
    await asyncio.sleep(2)
    assert len(await accepted_by_providers(ring, "again")) == 1
    bob = await ring.customer("bob")
    assert round(bob["activity"]["other"], 3) == 1.0
    assert bob["version"] - before <= 2


async def test_whoever_does_not_respond_in_the_window_gets_the_next_wave_and_whoever_does_not(ring: Ring) -> None:
    await ring.publish(campaign("waves", "waves.asked"))
    await ring.sign_up("quiet", number=3)
    await ring.sign_up("lively", number=4)
    for name in ("quiet", "lively"):
        await ring.track(name, "waves.asked")
    await until(lambda: len(of(ring.topic("decisions"), "run_started", "waves")) == 2, "both runs")
    await ring.track("lively", "page.viewed")
    await until(lambda: len(of(ring.topic("decisions"), "wave_closed", "waves")) >= 2, "both first waves closed")
    await until(lambda: any(a["wave"] == "remind" for a in of(ring.topic("actions"), "contact", "waves")), "the reminder")
    await asyncio.sleep(1)
    reminded = [a["customer_id"] for a in of(ring.topic("actions"), "contact", "waves") if a["wave"] == "remind"]
    assert reminded == [(await ring.customer("quiet"))["customer_id"]]


async def test_a_timer_does_not_fire_over_an_unread_response(ring: Ring) -> None:
    await ring.publish(campaign("stalled", "stalled.asked"))
    await ring.sign_up("late", number=5)
    await ring.track("late", "stalled.asked")
    await until(lambda: of(ring.topic("decisions"), "run_started", "stalled"), "the run")
    stalled = [r for r in ring.endpoints["pids"] if r.startswith("scoring-")]
    await asyncio.sleep(2)
    for replica in stalled:
        ring.send_signal(replica, signal.SIGSTOP)
    try:
        await ring.track("late", "page.viewed")
        await asyncio.sleep(12)
        assert not of(ring.topic("decisions"), "wave_closed", "stalled"), "the wave closed although nothing could be taken in"
    finally:
        for replica in stalled:
            ring.send_signal(replica, signal.SIGCONT)
    (closed,) = await until(lambda: of(ring.topic("decisions"), "wave_closed", "stalled"), "the first wave closed")
    assert closed["responded"]
    await asyncio.sleep(2)
    assert [a["wave"] for a in of(ring.topic("actions"), "contact", "stalled")] == ["tell"]


def _another_process(ring: Ring, replica: str, before: int) -> bool:
    return ring.endpoints["pids"].get(replica) not in {None, before}


async def test_killing_scoring_orchestrator_and_channels_in_mid_stream_loses_nothing_and_doubles_nothing(ring: Ring) -> None:
    await ring.publish(campaign("storm", "storm.asked", waves=[{**campaign("storm", "")["waves"][0], "window": "4h"}]))
    names = [f"storm{n}" for n in range(60)]
    await asyncio.gather(*(ring.sign_up(name, number=100 + n, channels=("email",)) for n, name in enumerate(names)))

    async def kill_again_and_again() -> None:
        for replica in ("scoring-0", "orchestrator-0", "channels-0", "scoring-1", "orchestrator-0"):
            await asyncio.sleep(0.7)
            before = ring.endpoints["pids"].get(replica)
            ring.send_signal(replica, signal.SIGKILL)
            await until(partial(_another_process, ring, replica, before), f"{replica} again")

    async def post() -> None:
        for name in names:
            await ring.track(name, "storm.asked", message_id=f"{name}-asked")
            await ring.track(name, "storm.asked", message_id=f"{name}-asked")
            await asyncio.sleep(0.05)

    await asyncio.gather(kill_again_and_again(), post())
    await until(lambda: len(of(ring.topic("decisions"), "run_started", "storm")) >= len(names), "a run for each customer", 120)

    async def all_settled() -> bool:
        sent = {a["action_id"] for a in of(ring.topic("actions"), "contact", "storm") if a["wave"] == "tell"}
        settled = {o["action_id"] for o in ring.topic("outcomes") if o["kind"] in {"delivered", "unknown"}}
        return len(sent) == len(names) and sent <= settled

    await until(all_settled, "every e-mail delivered, or honestly unknown", 120)
    runs = Counter(r["customer_id"] for r in of(ring.topic("decisions"), "run_started", "storm"))
    assert len(runs) == len(names)
    assert set(runs.values()) == {1}
    calls = Counter(await accepted_by_providers(ring, "storm"))
    assert max(calls.values()) == 1
    first = {a["action_id"] for a in of(ring.topic("actions"), "contact", "storm") if a["wave"] == "tell"}
    ends = {kind: {o["action_id"] for o in ring.topic("outcomes") if o["kind"] == kind} & first for kind in ("delivered", "unknown")}
    assert ends["delivered"] | ends["unknown"] == first
    assert len(ends["unknown"]) <= IN_FLIGHT_AT_A_KILL
    assert ends["delivered"] <= set(calls)


async def test_whoever_withdrew_consent_is_withheld_at_the_decision(ring: Ring) -> None:
    await ring.publish(campaign("stops", "stops.asked"))
    await ring.sign_up("stopper", number=6)
    await ring.event("consent.withdrawn", "stopper", {"channel": "email", "purpose": "marketing"})
    await ring.track("stopper", "stops.asked")
    decisions = await until(lambda: of(ring.topic("decisions"), "decision", "stops"), "the decision")
    assert decisions[0]["result"] == "withhold"
    assert decisions[0]["reason"] == "no_consent"
    assert not [d for d in decisions if d["channel"] == "email" and d["result"] == "act"]


async def test_a_complaint_holds_marketing_back_until_it_is_resolved(ring: Ring) -> None:
    await ring.publish(campaign("holds", "holds.asked"))
    await ring.sign_up("angry", number=7)
    await ring.event("complaint.opened", "angry", {"reference": "T1"})
    await ring.track("angry", "holds.asked")
    decisions = await until(lambda: of(ring.topic("decisions"), "decision", "holds"), "the decision")
    assert {(d["result"], d["reason"]) for d in decisions} == {("withhold", "complaint_open")}
    assert (await ring.customer("angry"))["open_complaints"] == 1


async def test_a_paused_campaign_sends_nothing_and_a_resumed_one_goes_on(ring: Ring) -> None:
    await ring.publish(campaign("pauses", "pauses.asked"))
    await ring.sign_up("patient", number=8)
    await ring.api("orchestrator", "POST", "/v1/campaigns/pauses:pause")
    await asyncio.sleep(1.2)
    await ring.track("patient", "pauses.asked")
    await asyncio.sleep(3)
    assert not of(ring.topic("actions"), "contact", "pauses")
    await ring.api("orchestrator", "POST", "/v1/campaigns/pauses:resume")
    await asyncio.sleep(1.2)
    await ring.track("patient", "pauses.asked")
    await until(lambda: of(ring.topic("actions"), "contact", "pauses"), "the contact after the resumption")
