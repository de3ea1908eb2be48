"""Reads the rejected topic for people: backwards, newest first over all partitions, and single records by their place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import REJECTED
from nextwave_contracts.wire import decode
from nextwave_runtime.broker_away import BROKER_AWAY
from nextwave_runtime.membership import let_go
from nextwave_runtime.problem import Problem

from nextwave_ingest.rejected.entries import Bounds, Entry, Place, entry_of

Fits = Callable[[Entry], bool]
"""Whether an entry is wanted."""
WINDOW = 100
"""Records of a partition that are read at once, since a log can only be read forwards; at first a few, so that a page gets somewhere."""
FIRST_WINDOW = 10
LOOKED_AT_MAX = 5000
"""Records that one page looks at; what it did not come to is behind its cursor."""
ANSWER_SECONDS = 15.0
READERS_MAX = 2
"""Pages that are read at once; others wait, so that readers cannot fill the memory of a door."""
_POLL_MILLISECONDS = 200
_FETCH_BYTES = 262_144


class Page(NamedTuple):
    """Entries, newest first, and where the next page begins: None when all was looked at."""

    entries: list[Entry]
    rest: Bounds | None


class _Read(NamedTuple):
    """One record without its bytes. `stamp` is the broker's, in milliseconds; `entry` is None where nobody can read it."""

    stamp: int
    offset: int
    entry: Entry | None


class _Strand:
    """One partition, looked at from its end down to `floor`. Everything below `bound` is still to come."""

    def __init__(self, consumer: Any, partition: int, floor: int, bound: int) -> None:
        self.bound = bound
        self._consumer = consumer
        self._place = TopicPartition(REJECTED.name, partition)
        self._floor = floor
        self._size = FIRST_WINDOW
        self._window: list[_Read] = []

    async def newest(self) -> _Read | None:
        """The next one, which stays until it is taken."""
        while not self._window and self.bound > self._floor:
            low = max(self._floor, self.bound - self._size)
            self._window = await _between(self._consumer, self._place, low, self.bound)
            self._size = min(WINDOW, 2 * self._size)
            if not self._window:
                self.bound = low
        return self._window[-1] if self._window else None

    def take(self) -> None:
        """Goes on below the newest."""
        self.bound = self._window.pop().offset


class RejectedLog:
    """The topic. `wall` gives the broker's time (Unix seconds) of a business instant."""

    def __init__(self, bootstrap: str, wall: Callable[[datetime], float]) -> None:
        self._bootstrap = bootstrap
        self._wall = wall
        self._readers = asyncio.Semaphore(READERS_MAX)

    async def page(self, fits: Fits, *, since: datetime | None, bounds: Bounds | None, limit: int) -> Page:
        """What `fits` below `bounds` and not older than `since`; exact from page to page. When its time is over it ends where it is.

        Raises a 503 `Problem` where it came to nothing at all.
        """
        async with self._opened() as consumer:
            async with _in_time():
                strands = await self._strands(consumer, since, bounds)
            found: list[Entry] = []
            begin, whole = _bounds(strands), False
            try:
                async with _in_time():
                    whole = await _all_looked_at(strands, fits, limit, found)
            except Problem:
                if _bounds(strands) == begin:
                    raise
            return Page(found, None if whole else _bounds(strands))

    async def read(self, places: Sequence[Place]) -> AsyncGenerator[Rejected | None, None]:
        """The records at these places, one by one; None where there is none that can be read. Raises a 503 `Problem`."""
        async with self._opened() as consumer:
            async with _in_time():
                ends = await _ends(consumer)
            for place in places:
                async with _in_time():
                    kept = await _at(consumer, place) if place.offset < ends.get(place.partition, 0) else None
                yield kept

    async def _strands(self, consumer: Any, since: datetime | None, bounds: Bounds | None) -> dict[int, _Strand]:
        ends = await _ends(consumer)
        places = {number: TopicPartition(REJECTED.name, number) for number in ends}
        beginnings = await consumer.beginning_offsets(list(places.values()))
        floors = {number: beginnings[place] for number, place in places.items()}
        if since is not None:
            stamp = max(0, round(self._wall(since) * 1000))
            found = await consumer.offsets_for_times(dict.fromkeys(places.values(), stamp))
            floors = {number: found[place].offset if found.get(place) else ends[number] for number, place in places.items()}
        below = ends if bounds is None else {number: min(bounds.get(number, 0), end) for number, end in ends.items()}
        return {number: _Strand(consumer, number, floors[number], below[number]) for number in ends}

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Any]:
        """A consumer of this question alone, without a group."""
        async with self._readers:
            consumer = AIOKafkaConsumer(
                REJECTED.name,
                bootstrap_servers=self._bootstrap,
                client_id="nextwave-ingest-rejected",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=50,
                max_partition_fetch_bytes=_FETCH_BYTES,
                request_timeout_ms=10_000,
            )
            try:
                async with _in_time():
                    await consumer.start()
                yield consumer
            finally:
                await let_go(consumer)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except BROKER_AWAY as error:
        raise Problem(503, "log-unavailable", "Kafka does not answer in time; ask again later", retry_after_seconds=5) from error


def _bounds(strands: dict[int, _Strand]) -> Bounds:
    return {number: strand.bound for number, strand in strands.items()}


async def _all_looked_at(strands: dict[int, _Strand], fits: Fits, limit: int, found: list[Entry]) -> bool:
    """Puts what fits into `found`, newest first, up to the limits; whether nothing is left."""
    for _ in range(LOOKED_AT_MAX):
        heads = [(head.stamp, n, head.entry) for n, strand in strands.items() if (head := await strand.newest())]
        if not heads:
            return True
        _, number, entry = max(heads, key=lambda head: head[:2])
        strands[number].take()
        if entry is not None and fits(entry):
            found.append(entry)
        if len(found) == limit:
            break
    return False


async def _ends(consumer: Any) -> dict[int, int]:
    """The next offset of each partition. From here on the consumer reads what it is told to."""
    places = list(consumer.assignment())
    consumer.unsubscribe()
    return {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}


async def _between(consumer: Any, place: TopicPartition, low: int, high: int) -> list[_Read]:
    """The records from `low` to below `high`, oldest first."""
    consumer.assign([place])
    consumer.seek(place, low)
    found: list[_Read] = []
    while await consumer.position(place) < high:
        for record in (await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=WINDOW)).get(place, ()):
            if record.offset < high:
                kept = _readable(record.value)
                entry = entry_of(kept, Place(record.partition, record.offset)) if kept else None
                found.append(_Read(record.timestamp, record.offset, entry))
    return found


async def _at(consumer: Any, place: Place) -> Rejected | None:
    partition = TopicPartition(REJECTED.name, place.partition)
    consumer.assign([partition])
    consumer.seek(partition, place.offset)
    while await consumer.position(partition) <= place.offset:
        for record in (await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=1)).get(partition, ()):
            return _readable(record.value) if record.offset == place.offset else None
    return None


def _readable(value: bytes | None) -> Rejected | None:
    """None for what strangers wrote there."""
    try:
        kept: Rejected = decode(value or b"", Rejected)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return kept
