"""Mappings of several replicas on the real Kafka: in force everywhere within a second, and of two writers at once the log lets one win."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration.ingest.following import until
from nextwave_contracts.topics import MAPPINGS, TOPICS
from nextwave_ingest.app import Followed, create_app
from nextwave_ingest.commit import GroupCommit
from nextwave_ingest.mappings.library import Library
from nextwave_ingest.mappings.log import MappingLog
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.settings import IngestSettings
from nextwave_ingest.sources.telling import Telling
from nextwave_local.owning import changes
from nextwave_local.owning.mapping_command import plan
from stack import Stack
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, FixedClock, basic, write_keys

EDITOR = {"authorization": "Bearer at_editor", "content-type": "application/yaml"}


def written(queue: str) -> str:
    rule = f"{{type: call.ended, id: $.call, identifiers: {{phone: $.caller}}, data: {{queue: {queue}}}}}"
    return f"touchpoints: [{rule}]"


class Replica:
    """One of several, without its process: its own committer, its own reading of the topic, its own routes."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.committer = GroupCommit(bootstrap, linger_seconds=0.001, timeout_seconds=5.0, pending_bytes_max=64_000_000)
        self.mappings = MappingLog(self.committer, Library([]))
        self.follower = self.mappings.follower(bootstrap)
        settings = IngestSettings(keys_file=write_keys(folder), identifier_key=IDENTIFIER_KEY, link_key=LINK_KEY, kafka=bootstrap)
        app = create_app(settings, self.committer, FixedClock(), Followed(self.mappings, Telling(self.committer, "test"), Marks()))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest")

    async def put(self, name: str, queue: str, **headers: str) -> httpx.Response:
        conditions = {header.replace("_", "-"): value for header, value in headers.items()}
        return await self.client.put(f"/v1/mappings/{name}", content=written(queue), headers=EDITOR | conditions)

    async def versions(self, name: str) -> list[dict[str, Any]]:
        answer = await self.client.get(f"/v1/mappings/{name}/versions", headers=EDITOR)
        return list(answer.json()["items"])

    async def post(self, name: str) -> httpx.Response:
        body = {"call": "c-1", "caller": "+14155550100"}
        return await self.client.post(f"/v1/inbound/callcentre/{name}", json=body, headers={"authorization": basic("wk_calls")})

    def queue(self, name: str) -> str:
        """What the mapping that is in force here makes of a call."""
        mapping = self.mappings.find(name)
        return str(mapping.document.touchpoints[0].data["queue"]) if mapping else ""


@asynccontextmanager
async def running(stack: Stack, folder: Path) -> AsyncIterator[Replica]:
    replica = Replica(stack.bootstrap, folder)
    jobs = [asyncio.create_task(job()) for job in (replica.committer.run, replica.follower.run)]
    try:
        await until(lambda: not replica.committer.fault and not replica.follower.fault, 30)
        yield replica
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await replica.committer.close()


@pytest.fixture
async def replicas(stack: Stack, tmp_path: Path) -> AsyncIterator[tuple[Replica, Replica]]:
    await stack.create_topics([topic.name for topic in TOPICS])
    async with running(stack, tmp_path) as one, running(stack, tmp_path) as other:
        yield one, other


async def test_what_one_replica_is_told_all_do_within_a_second(replicas: tuple[Replica, Replica]) -> None:
    one, other = replicas
    for version, queue in enumerate(("sales", "service", "returns"), start=1):
        assert (await one.put("told", queue)).headers["etag"] == f'"{version}"'
        assert one.queue("told") == queue, "who wrote it has it in force when it is answered"
        await until(lambda queue=queue: other.queue("told") == queue, 1)  # type: ignore[misc]
    assert (await other.post("told")).status_code == 202
    assert (await other.client.delete("/v1/mappings/told", headers=EDITOR)).status_code == 204
    await until(lambda: one.queue("told") == "", 1)
    assert (await one.post("told")).status_code == 404


async def test_of_two_replicas_that_write_at_once_one_wins_everywhere_and_for_ever(
    replicas: tuple[Replica, Replica], stack: Stack, tmp_path: Path
) -> None:
    one, other = replicas
    await one.put("contested", "first")
    await until(lambda: other.queue("contested") == "first", 1)
    for version in range(1, 11):
        condition = f'"{version}"'
        answers = await asyncio.gather(
            one.put("contested", f"one-{version}", if_match=condition), other.put("contested", f"other-{version}", if_match=condition)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        won = f"one-{version}" if answers[0].status_code == 200 else f"other-{version}"
        await until(lambda won=won: one.queue("contested") == other.queue("contested") == won, 1)  # type: ignore[misc]
    async with running(stack, tmp_path) as late:
        assert late.queue("contested") == won
        assert await late.versions("contested") == await one.versions("contested") == await other.versions("contested")
    assert [record["version"] for record in await one.versions("contested")] == list(range(1, 12))
    records = [record for record in stack.read_all(MAPPINGS.name) if record.key == b"contested"]
    assert len(records) > 11, "the losers are on the log, and count nowhere"


async def test_a_folder_is_applied_over_no_other_writer_and_not_at_all_with_a_bad_file(replicas: tuple[Replica, Replica]) -> None:
    one, other = replicas
    for replica in replicas:
        replica.client.headers.update(EDITOR)
    files = {"in-git.yaml": written("ours"), "shared.yaml": written("ours")}
    planned = await plan(one.client, files)
    assert (await other.put("shared", "theirs")).status_code == 201
    await until(lambda: one.queue("shared") == "theirs", 1)
    with pytest.raises(changes.RefusedError, match="changed since the plan"):
        await changes.apply(one.client, files, planned, lambda _: None)
    await until(lambda: (other.queue("in-git"), other.queue("shared")) == ("ours", "theirs"), 1)

    bad = await plan(other.client, {**files, "bad.yaml": written("'$.queue['")})
    assert not bad.is_sound(publish=False)
    assert [(item.file, item.action, [fault.pointer for fault in item.faults]) for item in bad.items] == [
        ("bad.yaml", "refuse", ["/touchpoints/0/data/queue"]),
        ("in-git.yaml", "keep", []),
        ("shared.yaml", "change", []),
    ]
    await changes.apply(other.client, files, await plan(other.client, files), lambda _: None)
    await until(lambda: one.queue("shared") == other.queue("shared") == "ours", 1)
    assert (await plan(other.client, files)).is_done(publish=False)
