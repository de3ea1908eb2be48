"""What a service gives the processor: where its state is, and a pure fold. The processor does everything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from nextwave_contracts.reasons import RejectCode
from nextwave_contracts.topics import Topic
from sqlalchemy.ext.asyncio import AsyncConnection

Unit = TypeVar("Unit")
Gate = Literal["watermark", "clock"]


@dataclass(frozen=True, slots=True)
class Taken:
    """One message to take in. `at` is the business instant at which the broker appended it, never earlier than its predecessors'."""

    topic: Topic
    partition: int
    offset: int
    at: datetime
    message: Any
    size: int = 0


@dataclass(frozen=True, slots=True)
class Timer:
    """A due timer of this partition. `due_at` is business time; `key` and `kind` say for whom and what, `payload` is the setter's."""

    partition: int
    due_at: datetime
    key: str
    kind: str
    payload: bytes = b""
    gate: Gate = "clock"
    """`watermark`: fires once everything received up to `due_at` was taken in; `clock`: as soon as it is due."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish; its key comes from the topic. `partition` only for control messages that go to a named partition."""

    topic: Topic
    message: Any
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One batch of one partition: messages in order, then the timers due, in due order. `now` is business time."""

    topic: Topic
    partition: int
    partitions: int
    """How many partitions every topic has."""
    now: datetime
    taken: Sequence[Taken]
    timers: Sequence[Timer]


class RejectedError(Exception):
    """Raised by a fold: this message can never be taken in; it goes to `rejected` and the partition goes on."""

    def __init__(self, reason: RejectCode, detail: str) -> None:
        super().__init__(detail)
        self.reason: RejectCode = reason
        self.detail = detail


class OutdatedError(Exception):
    """Raised by `save`: another partition's owner has changed what `load` found. The batch is rolled back and done again at once."""


class Application(Protocol[Unit]):
    """A service's part of a processor. `load` and `save` run in the batch's one transaction; `fold` is pure.

    `load` gathers everything that the batch can touch into a unit of work, rows locked in key order.
    `fold` takes one message or timer in: it changes the unit (nothing else) and returns messages to publish, in order.
    `save` writes the unit back with one array-bound statement per table; timers go through `nextwave_runtime.timers.schedule`.
    The processor never calls `save` after a `fold` that raised; it rolls back and isolates the message.
    """

    name: str
    inputs: tuple[Topic, ...]
    timers_on: Topic
    """The input whose partition owners fire this application's timers."""
    hands_over: frozenset[str]
    """Kinds of timers (gate `clock`, due when they are set) that only hand a word to the partition's owner.

    They fire also while the clock is not sure; `due_at` is then only their time and their order.
    """

    async def load(self, connection: AsyncConnection, work: Work) -> Unit: ...

    def fold(self, unit: Unit, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]: ...

    async def save(self, connection: AsyncConnection, unit: Unit) -> None: ...
