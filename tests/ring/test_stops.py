"""Stops that find a contact queued at its channel: nothing more reaches the provider, whatever says stop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ring.ring import Ring, campaign, until

AGAIN_AND_AGAIN = {"faults": [{"kind": "throttle", "provider": "email"}]}
"""The mail server surely refuses every mail for now, so each is due again at its channel after 1 and 5 seconds."""
NEXT_TRY_SECONDS = 7.0
"""After the second refusal the third try would have come within this."""


async def calls_of(ring: Ring, action: str) -> list[dict[str, Any]]:
    """What the providers saw of an action."""
    return [row for row in await ring.ledger() if row["action_id"] == action]


async def refused_once(ring: Ring, key: str, name: str, number: int) -> str:
    """The action of a new customer's contact, which its provider refused and the channel holds for its next try."""
    await ring.publish(campaign(key, f"{key}.asked"))
    await ring.sign_up(name, number=number)
    await ring.track(name, f"{key}.asked")
    contact = await until(lambda: [a for a in ring.topic("actions") if a["type"] == "contact" and a["campaign"] == key], "the contact")
    action = str(contact[0]["action_id"])
    await until(lambda: calls_of(ring, action), "the first try", every=0.05)
    return action


async def stop(ring: Ring, how: str, key: str, name: str) -> None:
    """Says stop in one of the ways."""
    match how:
        case "response":
            await ring.track(name, "page.viewed")
        case "consent":
            await ring.event("consent.withdrawn", name, {"channel": "email", "purpose": "marketing"})
        case "complaint":
            await ring.event("complaint.opened", name, {"reference": "T9"})
        case "campaign":
            await ring.api("orchestrator", "POST", f"/v1/campaigns/{key}:pause")


@pytest.mark.parametrize(
    ("how", "reason"),
    [("response", "responded"), ("consent", "suppressed"), ("complaint", "complaint_open"), ("campaign", "campaign_stopped")],
)
async def test_a_stop_reaches_what_is_queued_at_the_channel_and_nothing_more_is_sent(ring: Ring, how: str, reason: str) -> None:
    await ring.client.put(ring.endpoints["simulator"] + "/faults", json=AGAIN_AND_AGAIN)
    try:
        action = await refused_once(ring, f"halt-{how}", f"halted-{how}", 40 + len(how))
        await stop(ring, how, f"halt-{how}", f"halted-{how}")

        async def withdrawn() -> bool:
            return bool((await ring.api("channels", "GET", f"/v1/deliveries/{action}"))["state"] == "withdrawn")

        await until(withdrawn, "the withdrawal at the channel")
    finally:
        await ring.client.put(ring.endpoints["simulator"] + "/faults", json={"faults": []})
    before = await calls_of(ring, action)
    await asyncio.sleep(NEXT_TRY_SECONDS)
    assert await calls_of(ring, action) == before, "sent again after the stop"
    assert not [row for row in before if row["accepted"]]
    told = [(o["kind"], o["detail"]) for o in ring.topic("outcomes") if o["action_id"] == action]
    assert told == [("withdrawn", reason)]
