"""The whole orchestrator as a process: a campaign published over HTTP, then paused, is a stop on every partition within a second."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import msgspec
from nextwave_contracts.actions import ActionMessage, ResumeCampaign, StopCampaign
from nextwave_contracts.topics import ACTIONS, TOPICS
from nextwave_contracts.wire import decode
from nextwave_local.ports import free_ports
from nextwave_runtime.auth import Key, KeyFile, hash_secret
from stack import PARTITIONS, Stack
from unit.orchestrator.campaigns.winter import put, written

RULE = {"field": "value.cell", "op": "eq", "value": "IV"}
CAMPAIGN = "winter-stopping"


@asynccontextmanager
async def running(stack: Stack, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service on a fresh database, ready, and a client with every role."""
    await stack.create_topics([t.name for t in TOPICS])
    keys = folder / "keys.json"
    key = Key(name="ann", kind="api", hash=hash_secret("secret", "p"), roles=("viewer", "editor", "approver", "operator"))
    keys.write_bytes(msgspec.json.encode(KeyFile(pepper="p", keys=(key,))))
    (port,) = free_ports(1)
    settings = {
        "NEXTWAVE_KAFKA": stack.bootstrap,
        "NEXTWAVE_POSTGRES": await stack.create_database("orchestrator"),
        "NEXTWAVE_PORT": str(port),
        "NEXTWAVE_KEYS_FILE": str(keys),
        "NEXTWAVE_IDENTIFIER_KEY": "k" * 32,
        "NEXTWAVE_PARTITIONS": str(PARTITIONS),
    }
    environment = os.environ | settings
    migration = await asyncio.create_subprocess_exec(sys.executable, "-m", "nextwave_orchestrator", "migrate", env=environment)
    assert await migration.wait() == 0
    service = await asyncio.create_subprocess_exec(sys.executable, "-m", "nextwave_orchestrator", env=environment)
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"authorization": "Bearer secret"})
    try:
        await until(lambda: is_ready(port), seconds=90)
        yield client
    finally:
        await client.aclose()
        service.terminate()
        assert await service.wait() == 0


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


async def until(happened: Callable[[], bool], seconds: float) -> float:
    """Waits in threads until it happened; how long that took. Raises `TimeoutError`."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(happened):  # noqa: ASYNC110  (another process makes it happen)
            await asyncio.sleep(0.05)
    return time.monotonic() - began


def told(stack: Stack, kind: type[StopCampaign | ResumeCampaign]) -> list[tuple[int, datetime]]:
    """Partition and broker time of every such message about the campaign."""
    found = []
    for record in stack.read_all(ACTIONS.name):
        if CAMPAIGN.encode() not in record.value:
            continue  # another test's, and perhaps no message at all
        message = decode(record.value, ActionMessage)
        if isinstance(message, kind) and message.campaign == CAMPAIGN:
            found.append((record.partition, datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)))
    return found


def has_stops(stack: Stack, wanted: int) -> bool:
    return len(told(stack, StopCampaign)) >= wanted


async def furnish(client: httpx.AsyncClient) -> None:
    for key in ("top-value", "contract-holders"):
        made = await client.put(f"/v1/segments/{key}", json={"name": key, "owner": "sales", "rule": RULE})
        assert made.status_code == 201
    for key in ("renew", "renew-top", "sorry"):
        assert (await client.put(f"/v1/templates/{key}", json={"subject": "About you", "text": "Hello"})).status_code == 201
    draft = await client.put(f"/v1/campaigns/{CAMPAIGN}", json=put(written(), "/key", CAMPAIGN))
    assert draft.status_code == 201, draft.text


async def test_stopping_a_campaign_reaches_every_partition_within_a_second(stack: Stack, tmp_path: Path) -> None:
    async with running(stack, tmp_path) as client:
        await furnish(client)
        for round_, verb in enumerate(("pause", "end"), start=1):
            assert (await client.post(f"/v1/campaigns/{CAMPAIGN}:{'publish' if verb == 'pause' else 'resume'}")).status_code == 200
            began = datetime.now(UTC) - timedelta(milliseconds=1)
            assert (await client.post(f"/v1/campaigns/{CAMPAIGN}:{verb}")).status_code == 200
            await until(partial(has_stops, stack, round_ * PARTITIONS), seconds=30)
            stops = [(partition, at) for partition, at in told(stack, StopCampaign) if at >= began]
            assert sorted(partition for partition, _ in stops) == list(range(PARTITIONS))
            assert max(at for _, at in stops) - began < timedelta(seconds=1)
    assert len(told(stack, ResumeCampaign)) == 2 * PARTITIONS
