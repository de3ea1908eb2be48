"""Asks Kafka on a connection of its own how many partitions a topic has; an answer also tells a deaf client from a dead broker."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient


async def partition_count(bootstrap: str, topic: str) -> int:
    """How many partitions a topic has; 0 when it is not there. Raises `KafkaError`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        (described,) = await admin.describe_topics([topic])
        return len(described["partitions"])
    finally:
        await admin.close()
