"""Takers of our webhooks: what the specification's own library signs is taken once, everything else is refused with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from nextwave_local.simulator.world import World
from standardwebhooks.webhooks import Webhook
from unit.local.simulated import answers, rows

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUJD" * 10
BODY = '{"type":"contact.due","timestamp":"2026-03-03T10:00:00.000Z","data":{"action_id":"act-1"}}'


async def post(client: httpx.AsyncClient, *, secret: str = SECRET, body: str = BODY, name: str = "m1", age: float = 0) -> httpx.Response:
    stamp = datetime.now(UTC) - timedelta(seconds=age)
    signature = Webhook(secret).sign(name, stamp, body)
    headers = {"webhook-id": name, "webhook-timestamp": str(int(stamp.timestamp())), "webhook-signature": signature}
    return await client.post("/webhooks/erp", content=body, headers=headers)


@pytest.fixture(autouse=True)
async def opened(client: httpx.AsyncClient) -> None:
    assert (await client.put("/webhooks/erp", json={"secret": SECRET})).status_code == 201


async def test_a_signed_webhook_is_taken_under_its_action(client: httpx.AsyncClient, world: World) -> None:
    assert (await post(client)).status_code == 204
    (row,) = rows(world)
    assert row.items() >= {"action_id": "act-1", "provider": "webhook", "kind": "webhook", "accepted": True, "to": "erp"}.items()
    assert (await client.get("/webhooks/erp")).json()["received"][0]["body"] == BODY


async def test_the_same_id_again_is_answered_well_and_counts_as_a_second_dispatch(client: httpx.AsyncClient, world: World) -> None:
    for _ in range(2):
        assert (await post(client)).status_code == 204
    assert answers(world) == [("accepted", True), ("repeated", True)]
    assert world.ledger.totals()["twice"] == 1


async def test_what_the_menu_refused_is_taken_when_it_comes_again(client: httpx.AsyncClient, world: World) -> None:
    await client.put("/faults", json={"faults": [{"kind": "unavailable", "provider": "webhook"}]})
    assert (await post(client)).status_code == 503
    await client.put("/faults", json={})
    assert (await post(client)).status_code == 204
    assert answers(world) == [("unavailable", False), ("accepted", True)]


@pytest.mark.parametrize(
    ("how", "reason"), [({"secret": OTHER}, "signature"), ({"age": 301}, "five minutes"), ({"name": ""}, "webhook-id")]
)
async def test_what_is_not_surely_ours_is_refused(client: httpx.AsyncClient, world: World, how: dict[str, Any], reason: str) -> None:
    answer = await post(client, **how)
    assert answer.status_code == 401
    assert reason in answer.json()["error"]
    assert answers(world) == [("refused", False)]


async def test_a_payload_over_20_kilobytes_is_refused(client: httpx.AsyncClient) -> None:
    assert (await post(client, body='{"data":"' + "x" * 20_480 + '"}')).status_code == 413


async def test_two_secrets_hold_while_one_is_rotated(client: httpx.AsyncClient) -> None:
    await client.put("/webhooks/erp", json={"secret": f"{OTHER} {SECRET}"})
    assert (await post(client, name="a")).status_code == 204
    assert (await post(client, name="b", secret=OTHER)).status_code == 204


async def test_a_secret_that_is_none_and_an_address_that_nobody_opened_are_refused_with_the_fix(client: httpx.AsyncClient) -> None:
    wrong = await client.put("/webhooks/erp", json={"secret": "hunter2"})
    assert wrong.status_code == 422
    assert "whsec_" in wrong.json()["errors"][0]["detail"]
    unknown = await client.post("/webhooks/crm", content="{}")
    assert unknown.status_code == 404
    assert "PUT" in unknown.json()["errors"][0]["detail"]
