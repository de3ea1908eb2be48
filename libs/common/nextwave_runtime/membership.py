"""How a processor belongs to its group: the consumer it reads with, and a question to Kafka on a connection of its own."""

from __future__ import annotations

import asyncio

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from nextwave_runtime.cancelling import is_meant
from nextwave_runtime.settings import ProcessorSettings

STOP_SECONDS = 5.0

_log = structlog.get_logger()


def consumer_of(name: str, settings: ProcessorSettings) -> AIOKafkaConsumer:
    """A consumer that is not started yet, with the replica's name for its membership: one that comes back has its partitions at once."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        group_id=f"nextwave-{name}",
        group_instance_id=f"{name}-{settings.replica}",
        client_id=f"nextwave-{name}-{settings.replica}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_000,
        max_poll_interval_ms=600_000,
        fetch_max_wait_ms=250,
        request_timeout_ms=10_000,
    )


def fetches(consumer: AIOKafkaConsumer) -> bool:
    """Whether it still fetches (True before its start).

    aiokafka's task for it ends for good at an error that it does not know, such as uvloop's of a transport that is closed already, while
    the consumer stays a member of its group, tells how far the logs go, and returns no more records without a word.
    """
    fetcher = consumer._fetcher  # noqa: SLF001  (its `error_future` is public; there is no other way to it)
    return fetcher is None or not fetcher.error_future.done()


async def let_go(consumer: AIOKafkaConsumer) -> None:
    """Stops it, within bounds. Whatever went wrong inside it long ago comes out here and harms nobody.

    aiokafka's `stop` awaits the requests that it cancels, so that it may end as if its caller had been cancelled; its connections are
    closed all the same.
    """
    for end in (consumer.stop, consumer._client.close):  # noqa: SLF001  (a stop that breaks off leaves it open, for good)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await end()
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_meant():
                raise
            _log.warning("consumer_stop_failed", error=repr(error))


async def partition_count(bootstrap: str, topic: str) -> int:
    """How many partitions a topic has; 0 when it is not there. An answer also tells a deaf client from a dead broker.

    Raises `KafkaError`.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        (described,) = await admin.describe_topics([topic])
        return len(described["partitions"])
    finally:
        await admin.close()
