"""The real Kafka and the real PostgreSQL for tests, started once per session, with fresh topics and databases for each test that asks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from nextwave_local import kafka_server, postgres_server
from nextwave_local.ports import free_ports

PARTITIONS = 4
_numbers = count(1)


@dataclass(frozen=True)
class ReadRecord:
    """A record as a foreign client (confluent-kafka) reads it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: dict[str, bytes]
    timestamp_ms: int


@dataclass(frozen=True)
class Stack:
    """The two servers of a test session."""

    kafka: kafka_server.KafkaServer
    postgres: postgres_server.PostgresServer
    folder: Path

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return str(self.kafka.bootstrap)

    async def create_database(self, prefix: str = "test") -> str:
        """A fresh database; its DSN."""
        return await create_database(self.postgres.admin_dsn, prefix)

    async def create_topics(self, names: list[str], partitions: int = PARTITIONS) -> None:
        """Topics with the broker's time stamps, as in production."""
        await create_topics(self.bootstrap, names, partitions)

    def read_all(self, topic: str, partitions: int = PARTITIONS) -> list[ReadRecord]:
        """Everything on a topic now, in partition and offset order."""
        return read_all(self.bootstrap, topic, partitions)


async def create_database(admin_dsn: str, prefix: str) -> str:
    """A fresh database on any server; its DSN."""
    name = f"{prefix}_{next(_numbers)}"
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(f"create database {name}")
    finally:
        await connection.close()
    return admin_dsn.rsplit("/", 1)[0] + "/" + name


async def create_topics(bootstrap: str, names: list[str], partitions: int = PARTITIONS) -> None:
    """Topics with the broker's time stamps on any broker; those that are there stay as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        configs = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "4194304"}
        have = set(await admin.list_topics())
        await admin.create_topics([NewTopic(n, partitions, 1, topic_configs=configs) for n in names if n not in have])
    finally:
        await admin.close()


def ends(bootstrap: str, topic: str, partitions: int = PARTITIONS) -> list[int]:
    """The next offset of each partition of a topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "foreign-reader", "enable.auto.commit": False})
    try:
        return [_end(consumer, TopicPartition(topic, n)) for n in range(partitions)]
    finally:
        consumer.close()


def _end(consumer: Consumer, place: TopicPartition, seconds: float = 15) -> int:
    """A partition that was just made may have no leader yet."""
    deadline = monotonic() + seconds
    while True:
        try:
            return int(consumer.get_watermark_offsets(place, timeout=10)[1])
        except KafkaException:
            if monotonic() > deadline:
                raise
            sleep(0.1)


def read_all(bootstrap: str, topic: str, partitions: int = PARTITIONS) -> list[ReadRecord]:
    """Everything on a topic up to its present end, read with confluent-kafka."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "foreign-reader", "enable.auto.commit": False})
    try:
        ends = {n: _end(consumer, TopicPartition(topic, n)) for n in range(partitions)}
        consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for n, end in ends.items() if end])
        return _until(consumer, {n: end for n, end in ends.items() if end})
    finally:
        consumer.close()


def _until(consumer: Consumer, ends: dict[int, int]) -> list[ReadRecord]:
    found: list[ReadRecord] = []
    while ends:
        message: Any = consumer.poll(10)
        assert message is not None, f"nothing more came from {ends}"
        assert message.error() is None, message.error()
        headers = {k: v if isinstance(v, bytes) else str(v).encode() for k, v in message.headers() or []}
        place = (message.topic(), message.partition(), message.offset())
        found.append(ReadRecord(*place, message.key() or b"", message.value() or b"", headers, message.timestamp()[1]))
        if message.offset() + 1 >= ends.get(message.partition(), 0):
            ends.pop(message.partition(), None)
    return sorted(found, key=lambda r: (r.partition, r.offset))


@contextmanager
def running() -> Iterator[Stack]:
    """Starts both servers, stops them at the end."""
    with tempfile.TemporaryDirectory(prefix="nextwave-test-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        kafka_port, postgres_port = free_ports(2)
        kafka = kafka_server.start(folder / "kafka", kafka_port)
        try:
            postgres = postgres_server.start(folder / "postgres", postgres_port, databases=())
            try:
                yield Stack(kafka, postgres, folder)
            finally:
                postgres.stop()
        finally:
            kafka.stop()
