"""The shell of the ring in memory: logs, origin marks, outboxes, `seen`, watermarks; batches, kills and repetitions by chance."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from nextwave_contracts.customers import Watermark
from nextwave_contracts.places import Origin, Place
from nextwave_contracts.topics import CUSTOMERS, Topic, partition_of
from nextwave_runtime.application import Outgoing, Taken, Timer, Work
from nextwave_runtime.sifting import judge
from nextwave_runtime.watermarks import WatermarkTracker, read
from unit.simulation.history import Place as Where
from unit.simulation.history import Rang, Step
from unit.simulation.timetable import FIRST, Timers, Weather

PARTITIONS = 3


@dataclass(frozen=True, slots=True)
class Record:
    """One message in a log; `place` and `previous` as its headers say, no origin for what was born at a door or only controls."""

    message: Any
    at: datetime = FIRST
    origin: Origin | None = None
    place: Place | None = None
    previous: Place | None = None
    partition: int = 0


class Stage(Protocol):
    """A service's part: what a batch can touch, the real fold, and what is kept of it. `save` gives the timers to set."""

    name: Where
    inputs: tuple[Topic, ...]
    timers_on: Topic

    def load(self, work: Work) -> Any: ...

    def fold(self, unit: Any, item: Taken | Timer, now: datetime) -> Iterable[Outgoing]: ...

    def save(self, unit: Any) -> Sequence[Timer]: ...


class Ring:
    """Logs, the clock, and what happens next. Nothing happens but by `at`."""

    def __init__(self, weather: Weather, broken: str) -> None:
        self.weather = weather
        self.broken = broken
        self.quiet = False
        """Nothing new begins by itself: what is under way comes to its end."""
        self.now = FIRST
        self.steps: list[Step] = []
        self.logs: dict[tuple[str, int], list[Record]] = {}
        self.readers: dict[tuple[str, int], Worker] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        self._asked: set[tuple[str, datetime]] = set()

    def at(self, when: datetime, what: Callable[[], None]) -> None:
        """Plans something; at equal instants what was planned first goes first."""
        self._count += 1
        heapq.heappush(self._agenda, (max(when, self.now), self._count, what))

    def run(self, until: datetime) -> None:
        """Lives until then."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, what = heapq.heappop(self._agenda)
            what()
        self.now = until

    def append(self, topic: Topic, record: Record) -> None:
        """Appends to a log and wakes its reader after a while."""
        place = (topic.name, record.partition)
        stamped = Record(record.message, self.now, record.origin, record.place, record.previous, record.partition)
        self.logs.setdefault(place, []).append(stamped)
        if place in self.readers:
            self.readers[place].wake(self.now + self.weather.wait())

    def add(self, stage: Stage, awaits: Sequence[str] = ()) -> None:
        """Starts a stage: one worker for each partition of each input."""
        timers, seen = Timers(gated=self.broken != "watermarks"), set[str]()
        for topic in stage.inputs:
            for partition in range(PARTITIONS):
                self.readers[topic.name, partition] = Worker(self, stage, topic, partition, (timers, seen, tuple(awaits)))

    def unread(self, topic: Topic) -> bool:
        """Whether something of a topic was not taken in yet."""
        return any(r.position < len(r.log) for (name, _), r in self.readers.items() if name == topic.name)

    def set_timer(self, stage: Stage, timer: Timer) -> None:
        """Sets a timer at its partition's owner."""
        self.readers[stage.timers_on.name, timer.partition].set(timer)

    def ask(self, since: datetime) -> None:
        """Lets every scoring worker say soon after `since` how far it is (in rounds of twenty minutes, so that there are not too many)."""
        for worker in self.readers.values():
            round_ = (worker.name, since.replace(minute=since.minute // 20 * 20, second=0, microsecond=0))
            if worker.stage.name == "scoring" and round_ not in self._asked:
                self._asked.add(round_)
                self.at(round_[1] + timedelta(minutes=20) + self.weather.wait(), worker.mark)


class Worker:
    """One partition of one input of a stage."""

    def __init__(self, ring: Ring, stage: Stage, topic: Topic, partition: int, shared: tuple[Timers, set[str], tuple[str, ...]]) -> None:
        self.ring, self.stage, self.topic, self.partition = ring, stage, topic, partition
        self.timers, self._seen, self._awaits = shared
        self.origin = Origin(f"{stage.name}.{topic.short}", partition)
        self.name = str(self.origin)
        self.log = ring.logs.setdefault((topic.name, partition), [])
        self.position = 0
        self._marks: dict[Origin, Place] = {}
        self._cursor = Place(-1, -1)
        self._last: dict[tuple[str, int], Place] = {}
        self._outbox: deque[list[tuple[Topic, Record]]] = deque()
        self._publishing = False
        self._tracker = self._new_tracker()
        self._next: datetime | None = None

    def _new_tracker(self) -> WatermarkTracker:
        return WatermarkTracker(Origin(name, n) for name in self._awaits for n in range(PARTITIONS))

    def wake(self, when: datetime) -> None:
        """Works at that instant, unless it works earlier anyhow."""
        if self._next is None or when < self._next or self._next < self.ring.now:
            self._next = when
            self.ring.at(when, self._turn)

    def _turn(self) -> None:
        self._next = None
        stalled = self.ring.weather.stalled_until((self.stage.name, self.topic.short, self.partition), self.ring.now)
        if stalled is not None:
            self.wake(stalled)
            return
        size = self.ring.weather.chance.randint(1, self.ring.weather.batch_max)
        self._batch(self.log[self.position : self.position + size])
        if self.position < len(self.log):
            self.wake(self.ring.now + self.ring.weather.wait(0.2))

    def _batch(self, records: Sequence[Record]) -> None:
        ring, marks = self.ring, dict(self._marks)
        taken = self._sift(records, marks)
        fires = self.stage.timers_on.name == self.topic.name and not (ring.quiet and self.stage.name != "channels")
        watermark = self._tracker.low(marks) if fires and self.timers.waits(self.partition, ring.now) else None
        due = self.timers.due(self.partition, ring.now, watermark) if fires else []
        if not (records or due):
            return
        unit = self.stage.load(Work(self.topic, self.partition, PARTITIONS, ring.now, taken, due))
        items: list[Taken | Timer] = [*taken, *due]
        steps = [self._step(unit, item) for item in items]
        if steps and ring.weather.mishap():
            self._killed(due)
            return
        self._commit(records, marks, [(item, said) for item, said, _ in steps])
        self._seen.update(_door_id(self.topic, item) for item in taken if self.topic.door_id)
        ring.steps.extend(step for _, _, step in steps)
        for timer in self.stage.save(unit):
            self.ring.set_timer(self.stage, timer)

    def _killed(self, due: Sequence[Timer]) -> None:
        """Before its commit: nothing of the batch remains, and the next owner has heard no watermark yet."""
        for timer in due:
            self.timers.put(timer)
        self._tracker = self._new_tracker()
        self.ring.ask(self.ring.now)
        self.wake(self.ring.now + self.ring.weather.wait())

    def _step(self, unit: Any, item: Taken | Timer) -> tuple[Taken | Timer, list[Outgoing], Step]:
        said = list(self.stage.fold(unit, item, self.ring.now))
        took = item.message if isinstance(item, Taken) else Rang(item.kind, item.key, item.due_at)
        at = item.at if isinstance(item, Taken) else None
        return item, said, Step(self.ring.now, self.stage.name, took, tuple(out.message for out in said), at)

    def _sift(self, records: Sequence[Record], marks: dict[Origin, Place]) -> list[Taken]:
        taken: list[Taken] = []
        new: set[str] = set()
        for offset, record in enumerate(records, self.position):
            if isinstance(record.message, Watermark):
                self._tracker.heard(read(record.message, record.at))
                continue
            item = Taken(self.topic, self.partition, offset, record.at, record.message)
            if self._is_new(record, item, marks, new):
                taken.append(item)
        return taken

    def _is_new(self, record: Record, item: Taken, marks: dict[Origin, Place], new: set[str]) -> bool:
        if record.origin is not None and record.place is not None:
            verdict = judge(record.place, record.previous, marks.get(record.origin), joined_late=False)
            if verdict == "new" or self.ring.broken == "marks":
                marks[record.origin] = record.place
            return verdict == "new" or self.ring.broken == "marks"
        name = _door_id(self.topic, item)
        is_new = name not in self._seen and name not in new
        new.add(name)
        return is_new or self.ring.broken == "seen"

    def _commit(self, records: Sequence[Record], marks: dict[Origin, Place], said: Iterable[tuple[Taken | Timer, list[Outgoing]]]) -> None:
        self.position += len(records)
        self._marks = marks
        if self._awaits:
            self._tracker.settle(marks)
        numbers = {self._cursor.offset: self._cursor.number + 1}
        self._cursor = max(self._cursor, Place(self.position - 1, -1))
        blob: list[tuple[Topic, Record]] = []
        for item, messages in said:
            offset = item.offset if isinstance(item, Taken) else self.position - 1
            for out in messages:
                number = numbers.get(offset, 0)
                numbers[offset] = number + 1
                blob.append((out.topic, self._placed(out, Place(offset, number))))
        if blob:
            self._outbox.append(blob)
            self._plan_publish()

    def _placed(self, out: Outgoing, place: Place) -> Record:
        key = out.topic.key(out.message).encode()
        partition = partition_of(key, PARTITIONS) if out.partition is None else out.partition
        previous = self._last.get((out.topic.name, partition))
        self._last[out.topic.name, partition] = place
        self._cursor = max(self._cursor, place)
        return Record(out.message, FIRST, self.origin, place, previous, partition)

    def _plan_publish(self) -> None:
        if self._outbox and not self._publishing:
            self._publishing = True
            held_up = 40 if self.ring.weather.mishap() else 0.3
            self.ring.at(self.ring.now + self.ring.weather.wait(held_up), self._publish)

    def _publish(self) -> None:
        """The oldest blob; without all acknowledgements the whole of it is published again before the next one."""
        self._publishing = False
        blob, weather = self._outbox[0], self.ring.weather
        uncertain = weather.mishap()
        for topic, record in blob[: weather.chance.randint(0, len(blob)) if uncertain else len(blob)]:
            self.ring.append(topic, record)
        if not uncertain:
            self._outbox.popleft()
            if weather.mishap():
                self.ring.at(self.ring.now + weather.wait(20), lambda: self._repeat(blob))
        self._plan_publish()

    def _repeat(self, blob: list[tuple[Topic, Record]]) -> None:
        """A zombie wakes up."""
        for topic, record in blob:
            self.ring.append(topic, record)

    def set(self, timer: Timer) -> None:
        """Sets a timer of this partition, and works when it is due."""
        self.timers.put(timer)
        self.wake(max(timer.due_at, self.ring.now) + self.ring.weather.wait(0.2))
        if timer.gate == "watermark":
            self.ring.ask(timer.due_at)

    def mark(self) -> None:
        """Says to every partition of `customers` how far this one was taken in."""
        stalled = self.ring.weather.stalled_until((self.stage.name, self.topic.short, self.partition), self.ring.now)
        if stalled is not None:
            self.ring.at(stalled + self.ring.weather.wait(), self.mark)
            return
        read_all = self.position >= len(self.log)
        until = self.ring.now if read_all else self.log[self.position - 1].at if self.position else FIRST
        for partition in range(PARTITIONS):
            last = self._last.get((CUSTOMERS.name, partition))
            said = Watermark(
                processor=self.origin.processor,
                partition=self.partition,
                until=until - timedelta(milliseconds=1),
                last_place=str(last) if last else None,
            )
            self.ring.append(CUSTOMERS, Record(said, partition=partition))
        if not read_all:
            self.ring.at(self.ring.now + timedelta(minutes=5), self.mark)


def _door_id(topic: Topic, item: Taken) -> str:
    return topic.door_id(item.message) if topic.door_id else ""
