"""The topics: what each carries, who writes it, who reads it, and what its key is. The only place where their names stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from nextwave_contracts.actions import ActionMessage
from nextwave_contracts.customers import CustomerMessage, Watermark
from nextwave_contracts.decisions import DecisionMessage
from nextwave_contracts.holds import Hold
from nextwave_contracts.identifiers import strongest
from nextwave_contracts.mappings import MappingVersion
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.redriven import Redriven
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.sources import SourceTally
from nextwave_contracts.touchpoints import Touchpoint

DAY_MILLISECONDS = 86_400_000
MESSAGE_BYTES_MAX = 4_194_304
"""What a broker takes as one batch, of any topic: at least a message with its key and headers."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic. `message` is a message type or a union; `key` gives the Kafka key of a message as text, never empty."""

    name: str
    message: Any
    key: Callable[[Any], str]
    written_by: str
    read_by: tuple[str, ...]
    meaning: str
    keyed_by: str = ""
    """What the key is, in words."""
    retention_days: int | None = 14
    """None: everything is kept for ever, for what is read from its beginning."""
    compacted: bool = False
    """Only the newest message of each key is kept, and that as long as any."""
    door_id: Callable[[Any], str] | None = None
    """For messages born at a door: what makes two of them the same. None: born in a processor, the origin mark says it."""

    @property
    def retention_milliseconds(self) -> int:
        """How long a message is kept; Kafka's -1 for ever."""
        return -1 if self.retention_days is None else self.retention_days * DAY_MILLISECONDS

    @property
    def cleanup(self) -> tuple[str, ...]:
        """Kafka's policies of cleaning up."""
        return ("compact", "delete") if self.compacted else ("delete",)

    @property
    def short(self) -> str:
        """The name without prefix and version, for instance `touchpoints`."""
        return self.name.split(".")[1]


def partition_of(key: bytes, partitions: int) -> int:
    """CRC-32 of the key modulo the number of partitions, as librdkafka's `consistent` partitioner does."""
    return crc32(key) % partitions


def _customer(message: Any) -> str:
    return str(getattr(message, "customer_id", "") or getattr(message, "campaign", "") or "control")


def _customers_key(message: CustomerMessage) -> str:
    return f"watermark:{message.processor}/{message.partition}" if isinstance(message, Watermark) else message.customer_id


def _touchpoint_key(message: Touchpoint) -> str:
    names = message.identifiers
    return names[0] if len(names) == 1 else strongest(names)


def _hold_key(message: Hold) -> str:
    return message.subjects[0]


def _door_id(message: Touchpoint | Hold) -> str:
    return f"{message.source}\0{message.id}"


def _mapping_key(message: MappingVersion) -> str:
    return message.name


def _mapping_id(message: MappingVersion) -> str:
    return message.id


def _source_key(message: SourceTally) -> str:
    return f"{message.replica}/{message.source}"


def _source_id(message: SourceTally) -> str:
    return f"{_source_key(message)}/{message.at.isoformat()}"


def _rejected_key(message: Rejected) -> str:
    return message.key or f"{message.topic}/{message.partition}"


def _redriven_key(message: Redriven) -> str:
    return message.id


def _redriven_id(message: Redriven) -> str:
    return f"{message.id}/{message.at.isoformat()}"


TOUCHPOINTS = Topic(
    name="nextwave.touchpoints.v1",
    message=Touchpoint,
    key=_touchpoint_key,
    keyed_by="the strongest identifier of the touchpoint",
    written_by="ingest",
    read_by=("scoring",),
    meaning="one accepted touchpoint",
    door_id=_door_id,
)
HOLDS = Topic(
    name="nextwave.holds.v1",
    message=Hold,
    key=_hold_key,
    keyed_by="keyed hash of one of the customer's identifiers",
    written_by="ingest",
    read_by=("channels",),
    meaning="every opt-out and complaint, and their lifting",
    door_id=_door_id,
)
CUSTOMERS = Topic(
    name="nextwave.customers.v1",
    message=CustomerMessage,
    key=_customers_key,
    keyed_by="customer id; `watermark:processor/partition` for watermarks",
    written_by="scoring",
    read_by=("orchestrator",),
    meaning="the event that came, and the profile as it is now; watermarks",
)
ACTIONS = Topic(
    name="nextwave.actions.v1",
    message=ActionMessage,
    key=_customer,
    keyed_by="customer id; the campaign's key for what concerns all customers",
    written_by="orchestrator",
    read_by=("channels",),
    meaning="what a channel must do, or must no longer do",
)
DECISIONS = Topic(
    name="nextwave.decisions.v1",
    message=DecisionMessage,
    key=_customer,
    keyed_by="customer id",
    written_by="orchestrator",
    read_by=("reports",),
    meaning="the record of every candidate, run and goal",
)
OUTCOMES = Topic(
    name="nextwave.outcomes.v1",
    message=Outcome,
    key=_customer,
    keyed_by="customer id",
    written_by="channels",
    read_by=("scoring",),
    meaning="what became of a delivery",
)
REJECTED = Topic(
    name="nextwave.rejected.v1",
    message=Rejected,
    key=_rejected_key,
    keyed_by="the key of what was rejected, or `topic/partition`",
    written_by="any",
    read_by=("operators",),
    meaning="what could not be processed",
    retention_days=30,
)
REDRIVEN = Topic(
    name="nextwave.redriven.v1",
    message=Redriven,
    key=_redriven_key,
    keyed_by="the place of the rejected record",
    written_by="ingest",
    read_by=("ingest",),
    meaning="which rejected records were sent on their way again",
    retention_days=30,
    compacted=True,
    door_id=_redriven_id,
)
MAPPINGS = Topic(
    name="nextwave.mappings.v1",
    message=MappingVersion,
    key=_mapping_key,
    keyed_by="the mapping's name",
    written_by="ingest",
    read_by=("ingest",),
    meaning="every version of every mapping that people wrote",
    retention_days=None,
    door_id=_mapping_id,
)
"""Not compacted: that would leave the newest record of a name, which may be the one that lost, and the log would no longer say so."""
SOURCES = Topic(
    name="nextwave.sources.v1",
    message=SourceTally,
    key=_source_key,
    keyed_by="the life of a replica, and the source",
    written_by="ingest",
    read_by=("ingest",),
    meaning="what each replica of ingest heard of each source",
    retention_days=2,
    compacted=True,
    door_id=_source_id,
)

TOPICS: tuple[Topic, ...] = (TOUCHPOINTS, HOLDS, CUSTOMERS, ACTIONS, DECISIONS, OUTCOMES, REJECTED, REDRIVEN, MAPPINGS, SOURCES)
"""All topics have the same number of partitions, so that a customer's partition is the same on each of them."""
