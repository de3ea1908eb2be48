"""A shop's open page and its visitors' browsers, over the whole ring: invitations while somebody hesitates, and web push."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from ring.ring import Ring, campaign, until

HESITATING = "hesitating-visitor"


async def look_around(ring: Ring, **who: str) -> None:
    """Four products in a moment, which is hesitation to the shipped segment."""
    for sku in "abca":
        await ring._segment("track", {**who, "event": "Product Viewed", "properties": {"sku": sku}, "messageId": str(uuid4())})


@asynccontextmanager
async def open_page(ring: Ring, anonymous_id: str) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
    """A page that listens; what it is told."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    query = {"write_key": ring.endpoints["write_key"], "anonymous_id": anonymous_id}
    async with ring.client.stream("GET", f"{ring.endpoints['channels']}/v1/onsite/stream", params=query, timeout=60) as response:
        assert response.status_code == 200
        lines = response.aiter_lines()
        await anext(lines)

        async def read() -> None:
            named = ""
            async for line in lines:
                name, _, value = line.partition(": ")
                named = value if name == "id" else named
                if name == "data":
                    told.put_nowait({"id": named, **json.loads(value)})

        reading = asyncio.create_task(read())
        yield told
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def click(ring: Ring, action: str, anonymous_id: str) -> None:
    """What the shop's script reports of an invitation that was shown and clicked."""
    visitor = {"write_key": ring.endpoints["write_key"], "anonymous_id": anonymous_id}
    for what in ("shown", "clicked"):
        answer = await ring.client.post(f"{ring.endpoints['channels']}/v1/onsite/{action}:{what}", content=json.dumps(visitor))
        assert answer.status_code == 204, answer.text
    said = {"anonymousId": anonymous_id, "event": "onsite.clicked", "messageId": f"{action}clicked", "properties": {"action_id": action}}
    for _ in range(2):
        await ring._segment("track", said)


async def test_who_hesitates_is_invited_while_still_there_known_or_not_and_a_click_is_one_response(ring: Ring) -> None:
    await ring.api("orchestrator", "POST", "/v1/shipped:install", {"campaigns": [HESITATING]})
    await ring.api("orchestrator", "POST", f"/v1/campaigns/{HESITATING}:publish")
    await asyncio.sleep(1.2)
    stranger, regular, other = (f"{name}-{uuid4()}" for name in ("stranger", "regular", "other"))
    await ring._segment("identify", {"userId": "regular", "anonymousId": regular, "messageId": str(uuid4())})
    await ring.customer("regular")
    async with open_page(ring, stranger) as to_stranger, open_page(ring, regular) as to_regular, open_page(ring, other) as to_other:
        await look_around(ring, anonymousId=stranger)
        await look_around(ring, userId="regular")
        invitations = [await asyncio.wait_for(told.get(), 30) for told in (to_stranger, to_regular)]
        assert {told["text"].partition("?")[0] for told in invitations} == {"Can we help you"}
        assert to_other.empty()
    for told, anonymous_id in zip(invitations, (stranger, regular), strict=True):
        await click(ring, told["id"], anonymous_id)
    actions = {told["id"] for told in invitations}

    def closed() -> list[dict[str, Any]]:
        return [m for m in ring.topic("decisions") if m["type"] == "wave_closed" and m["campaign"] == HESITATING]

    await until(lambda: len(closed()) >= 2, "both waves closed")
    await asyncio.sleep(2)
    assert [(wave.get("responded"), wave.get("reach")) for wave in closed()] == [(True, "reached")] * 2
    outcomes = [o for o in ring.topic("outcomes") if o["action_id"] in actions]
    assert sorted(o["kind"] for o in outcomes) == ["clicked", "clicked", "delivered", "delivered"]
    assert sum(bool(o.get("taken")) for o in outcomes) == 2


async def test_web_push_reaches_the_browser_that_the_page_named_until_it_is_gone(ring: Ring) -> None:
    browser = f"{ring.endpoints['simulator']}/push/{uuid4().hex}"
    given = (await ring.client.put(browser, json={})).json()
    wanted = {"write_key": ring.endpoints["write_key"], **given}
    token = (await ring.client.post(ring.endpoints["channels"] + "/v1/webpush/subscriptions", content=json.dumps(wanted))).json()["token"]
    context = {"device": {"token": token}}
    await ring._segment("identify", {"userId": "pushed", "context": context, "traits": {"timezone": "Etc/UTC"}, "messageId": str(uuid4())})
    await ring.event("consent.granted", "pushed", {"channel": "webpush", "purpose": "marketing"})
    mixes = [{"segment": "*", "channels": [{"channel": "webpush", "template": "push-tell"}]}]
    entry = {"on": {"event": "push.asked"}, "key": "n"}
    await ring.publish(campaign("push", "push.asked", entry=entry, waves=[{"key": "tell", "window": "4h", "mixes": mixes}]))
    await ring.track("pushed", "push.asked", {"n": "1"})

    async def received() -> list[dict[str, Any]]:
        return list((await ring.client.get(browser)).json()["received"])

    (came,) = await until(received, "the message at the browser")
    told = json.loads(came["text"])
    assert (told["title"], told["body"].splitlines()[0], came["unread"]) == ("Hello", "This is push-tell.", "")
    await ring.client.delete(browser)
    await ring.track("pushed", "push.asked", {"n": "2"})
    await until(lambda: [o for o in ring.topic("outcomes") if o["channel"] == "webpush" and o["kind"] == "bounced"], "the bounce")

    async def bounced() -> bool:
        customer = await ring.customer("pushed")
        return any(point["channel"] == "webpush" and point["bounced"] for point in customer["contact_points"])

    await until(bounced, "the contact point marked")
    await ring.track("pushed", "push.asked", {"n": "3"})

    def decided() -> list[str]:
        return [m["result"] for m in ring.topic("decisions") if m["type"] == "decision" and m["campaign"] == "push"]

    await until(lambda: len(decided()) == 3, "the third decision")
    assert decided() == ["act", "act", "withhold"]
