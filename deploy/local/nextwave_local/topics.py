"""The topics as they must be on a broker: what is missing or different, decided here, and made so by `topics_admin`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nextwave_contracts.topics import MESSAGE_BYTES_MAX, TOPICS, Topic

DEFAULT_PARTITIONS = 4
COMPACTED_WITHIN_MILLISECONDS = 3_600_000
"""What is written now is not compacted; so much of it is read at every start."""


@dataclass(frozen=True)
class Present:
    """A topic as the broker has it. `settings` are those set on the topic itself."""

    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One thing to do, or (`refuse`) one that must not be done silently."""

    action: Literal["create", "configure", "refuse"]
    topic: str
    settings: Mapping[str, str]
    reason: str


def settings_of(topic: Topic, replication: int) -> dict[str, str]:
    """What is set on a topic. The broker stamps the time, since business time is derived from when it received a message."""
    return {
        "cleanup.policy": ",".join(topic.cleanup),
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(topic.retention_milliseconds),
        **({"segment.ms": str(COMPACTED_WITHIN_MILLISECONDS)} if topic.compacted else {}),
        **({"retention.bytes": "-1"} if topic.retention_days is None else {}),
        "min.insync.replicas": str(max(1, replication - 1)),
        "max.message.bytes": str(MESSAGE_BYTES_MAX),
    }


def plan(present: Mapping[str, Present], *, partitions: int, replication: int) -> list[Step]:
    """The steps from what is `present` to what the contracts say; empty when all is well."""
    steps = []
    for topic in TOPICS:
        wanted = settings_of(topic, replication)
        found = present.get(topic.name)
        if found is None:
            steps.append(Step("create", topic.name, wanted, f"{partitions} partitions, {replication} replicas"))
        elif found.partitions != partitions:
            steps.append(Step("refuse", topic.name, {}, _other_count(found.partitions, partitions)))
        elif different := {name: value for name, value in wanted.items() if found.settings.get(name) != value}:
            steps.append(Step("configure", topic.name, {**found.settings, **wanted}, ", ".join(f"{n}={v}" for n, v in different.items())))
    return steps


def refused(steps: Sequence[Step]) -> list[Step]:
    """The steps that must be solved by a person first."""
    return [step for step in steps if step.action == "refuse"]


def _other_count(has: int, wanted: int) -> str:
    return (
        f"has {has} partitions, not {wanted}: another number would move customers to other partitions than their state;"
        f" use {has}, or make a new cluster and move to it"
    )
