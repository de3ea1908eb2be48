"""Words that may be a refusal, around the whole ring: held at once, decided against, read by somebody, and let go or made a withdrawal."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from nextwave_local import keys
from nextwave_local.folder import Folder
from ring.ring import Ring, campaign, until

WORDS = "Please take me off your list"


@pytest.fixture(scope="module")
def reviewer(ring: Ring) -> str:
    """A write key of somebody who may review."""
    return keys.create(Folder(ring.state).keys, keys.Name("write", "reviewer"), ("agent",))


async def waiting(ring: Ring, customer: str) -> list[dict[str, Any]]:
    return list((await ring.api("scoring", "GET", f"/v1/reviews?customer={customer}"))["items"])


async def give(ring: Ring, key: str, review: dict[str, Any], *, refused: bool) -> None:
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "reviewer",
        "type": "refusal.reviewed",
        "subject": review["name"],
        "data": {"reference": review["reference"], "refused": refused},
    }
    headers = {"content-type": "application/cloudevents+json", "x-write-key": key}
    answer = await ring.client.post(ring.endpoints["ingest"] + "/v1/touchpoints", content=json.dumps(event), headers=headers)
    assert answer.status_code == 202, answer.text


async def decided(ring: Ring, customer: str, name: str, times: int) -> list[tuple[str, str]]:
    """What was decided of the customer for a campaign, as soon as it was so many times."""

    async def found() -> list[tuple[str, str]]:
        items = (await ring.api("orchestrator", "GET", f"/v1/decisions?customer={customer}"))["items"]
        return [(one["result"], one["reason"]) for one in items if one.get("type") == "decision" and one["campaign"] == name]

    async def enough() -> list[tuple[str, str]] | None:
        return told if len(told := await found()) >= times else None

    return list(await until(enough, f"{times} decisions of {name}"))


@pytest.mark.parametrize(("refused", "then"), [(False, ("act", "permitted")), (True, ("withhold", "no_consent"))])
async def test_what_may_be_a_refusal_holds_until_it_was_read(ring: Ring, reviewer: str, refused: bool, then: tuple[str, str]) -> None:
    name, first, second = f"doubter-{refused}", f"doubt-{refused}".lower(), f"later-{refused}".lower()
    for key in (first, second):
        await ring.publish(campaign(key, f"{key}.asked", purpose="recovery"))  # which rests after no message of theirs
    await ring.sign_up(name, number=81 + refused)
    customer = (await ring.customer(name))["customer_id"]
    await ring.event("email.received", name, {"subject": "Re: Hello", "text": WORDS})
    [review] = await until(lambda: waiting(ring, customer), "the review on the list")
    assert (review["words"], review["channel"]) == (f"Re: Hello\n{WORDS}", "email")
    await ring.track(name, f"{first}.asked")
    assert await decided(ring, customer, first, 1) == [("withhold", "hold")]
    await give(ring, reviewer, review, refused=refused)

    async def over() -> bool:
        return not await waiting(ring, customer)

    await until(over, "the end of the review")
    await ring.track(name, f"{second}.asked")
    assert (await decided(ring, customer, second, 1))[0] == then
