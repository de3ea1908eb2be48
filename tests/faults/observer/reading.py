"""Reads the topics with a foreign client (confluent-kafka) on a thread of its own, from the first message on, while brokers die."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from faults.observer.book import TOPICS, Raw

POLL_SECONDS = 0.2
MANY = 1000
QUEUE_MAX = 200_000


class Reading(threading.Thread):
    """Fills a queue with every record of every topic; `take` empties it."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        super().__init__(name="observer", daemon=True)
        settings = {
            "bootstrap.servers": bootstrap,
            "group.id": "outside-observer",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 100,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
        self._settings = settings
        self._places = [(f"nextwave.{t}.v1", n) for t in TOPICS for n in range(partitions)]
        self._consumer = Consumer(settings)
        self._consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in self._places])
        self._found: queue.Queue[Raw] = queue.Queue(QUEUE_MAX)
        self._read: dict[tuple[str, int], int] = {}
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.is_set():
            try:
                messages = self._consumer.consume(MANY, POLL_SECONDS)
            except KafkaException:
                continue
            for message in messages:
                if message.error() is None:
                    raw = _raw(message)
                    self._found.put(raw)
                    self._read[raw.topic, raw.partition] = raw.offset
        self._consumer.close()

    def take(self) -> Iterable[Raw]:
        """What has come since the last time."""
        while True:
            try:
                yield self._found.get_nowait()
            except queue.Empty:
                return

    def catch_up(self, seconds: float = 30.0) -> None:
        """Waits until everything was read that is on the topics now. Raises `TimeoutError`."""
        deadline = time.monotonic() + seconds
        ends = self._ends()
        while any(end and self._read.get(place, -1) < end - 1 for place, end in ends.items()):
            if time.monotonic() > deadline:
                raise TimeoutError("the observer cannot read the topics to their ends")
            time.sleep(0.1)

    def _ends(self) -> dict[tuple[str, int], int]:
        """Asked by a client of its own: the reading one is busy reading, and one client does one thing at a time."""
        asking = Consumer(self._settings)
        try:
            return {(_short(t), n): asking.get_watermark_offsets(TopicPartition(t, n), timeout=10)[1] for t, n in self._places}
        finally:
            asking.close()

    def stop(self) -> None:
        """Ends the reading."""
        self._stopping.set()
        self.join(10)


def _raw(message: Any) -> Raw:
    headers = {k: v if isinstance(v, bytes) else str(v).encode() for k, v in message.headers() or []}
    place = (_short(message.topic()), message.partition(), message.offset())
    return Raw(*place, message.timestamp()[1] / 1000, message.key() or b"", message.value() or b"", headers)


def _short(topic: str) -> str:
    """The name without prefix and version."""
    return topic.split(".")[1]
