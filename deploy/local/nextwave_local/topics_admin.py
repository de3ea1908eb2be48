"""Reads topics from a broker and carries out a plan, safe to repeat; used by `nextwave topics` and by the Kubernetes job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code
from nextwave_contracts.topics import TOPICS

from nextwave_local.topics import Present, Step, plan, refused

SET_ON_THE_TOPIC = 1
"""`config_source` of DescribeConfigs: DYNAMIC_TOPIC_CONFIG."""


class TopicsError(RuntimeError):
    """The topics cannot be made as they must be."""


async def pending(bootstrap: str, *, partitions: int, replication: int) -> list[Step]:
    """What would have to be done on this broker."""
    async with _admin(bootstrap) as admin:
        return plan(await _present(admin), partitions=partitions, replication=replication)


async def apply(bootstrap: str, *, partitions: int, replication: int) -> list[Step]:
    """Does it, and returns what was done. Raises `TopicsError` when a step must be decided by a person; then nothing is done."""
    async with _admin(bootstrap) as admin:
        steps = plan(await _present(admin), partitions=partitions, replication=replication)
        if wrong := refused(steps):
            raise TopicsError("; ".join(f"{step.topic} {step.reason}" for step in wrong))
        await _create([step for step in steps if step.action == "create"], admin, partitions=partitions, replication=replication)
        await _configure([step for step in steps if step.action == "configure"], admin)
    return steps


async def _create(steps: Sequence[Step], admin: Any, *, partitions: int, replication: int) -> None:
    if not steps:
        return
    new = [NewTopic(step.topic, partitions, replication, topic_configs=dict(step.settings)) for step in steps]
    response = await admin.create_topics(new)
    for name, code, *rest in response.topic_errors:
        if code != TopicAlreadyExistsError.errno:
            _check(code, name, str(rest[0]) if rest else "")


async def _configure(steps: Sequence[Step], admin: Any) -> None:
    if not steps:
        return
    resources = [ConfigResource(ConfigResourceType.TOPIC, step.topic, dict(step.settings)) for step in steps]
    for response in await admin.alter_configs(resources):
        for code, message, _kind, name in response.resources:
            _check(code, name, message)


async def _present(admin: Any) -> dict[str, Present]:
    names = {topic.name for topic in TOPICS} & set(await admin.list_topics())
    if not names:
        return {}
    described = await admin.describe_topics(sorted(names))
    counts = {one["topic"]: len(one["partitions"]) for one in described}
    settings: dict[str, dict[str, str]] = {name: {} for name in names}
    for response in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]):
        for code, message, _kind, name, entries in response.resources:
            _check(code, name, message)
            settings[name] = {entry[0]: entry[1] for entry in entries if entry[3] == SET_ON_THE_TOPIC}
    return {name: Present(counts[name], settings[name]) for name in names}


def _check(code: int, name: str, message: str | None) -> None:
    if code:
        raise TopicsError(f"{name}: {message or for_code(code).__name__}")


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
