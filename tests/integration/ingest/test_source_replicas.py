"""Two replicas on the real Kafka, and a third that starts later: each tells of a source what all of them heard."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import uuid4

import stack as real
from integration.ingest.test_rejected_log import committing
from nextwave_contracts.topics import SOURCES, TOPICS
from nextwave_ingest.admission import Ignored
from nextwave_ingest.follower import Follower
from nextwave_ingest.sources.telling import Telling

RINGING = Ignored("other_value", "/state", "no rule")


async def following(stack: AsyncExitStack, bootstrap: str, telling: Telling) -> None:
    job = asyncio.create_task(Follower(bootstrap, SOURCES, telling.take).run())

    async def end() -> None:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)

    stack.push_async_callback(end)


async def test_any_replica_tells_of_all_also_one_that_starts_later(stack: real.Stack) -> None:
    await stack.create_topics([topic.name for topic in TOPICS])
    source, at = uuid4().hex, datetime.now(UTC)
    async with committing(stack.bootstrap) as commit, AsyncExitStack() as running:
        replicas = [Telling(commit, name) for name in ("a", "b", "c")]
        for replica in replicas[:2]:
            await following(running, stack.bootstrap, replica)
        for number in (1, 2):
            for replica in replicas[:2]:
                replica.book.ignored(source, "inbound/calls", [RINGING] * number, at)
                await replica.tell()
        await following(running, stack.bootstrap, replicas[2])
        async with asyncio.timeout(30):
            while any(ignored(replica, source) != 6 for replica in replicas):  # noqa: ASYNC110  (what others say is heard when it comes)
                await asyncio.sleep(0.05)
    assert len({str(replica.board.sums(replica.now())[source]) for replica in replicas}) == 1


def ignored(replica: Telling, source: str) -> int:
    found = replica.board.sums(replica.now()).get(source)
    return found.doors["inbound/calls"].ignored if found else 0
