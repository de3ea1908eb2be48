"""Followers on the real Kafka: each replica reads everything from the beginning and goes on within a second."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from confluent_kafka import Producer
from integration.ingest.following import following, until
from nextwave_contracts.topics import MAPPINGS
from stack import Stack

FOLLOWED = replace(MAPPINGS, name="nextwave.followed.v1")


def write(bootstrap: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for value in values:
        producer.produce(FOLLOWED.name, value=value, key=value[:1])
    assert producer.flush(20) == 0


async def test_a_follower_waits_for_its_topic_and_for_all_that_is_on_it_and_then_hears_what_comes_within_a_second(stack: Stack) -> None:
    async with following(stack.bootstrap, FOLLOWED) as (early, found):
        await asyncio.sleep(1)
        assert early.fault, "the topic is not there yet"
        await stack.create_topics([FOLLOWED.name])
        await until(lambda: not early.fault, 30)
        write(stack.bootstrap, *(f"{n}".encode() for n in range(500)))
        await until(lambda: len(found) == 500, 30)
        async with following(stack.bootstrap, FOLLOWED) as (late, also):
            await until(lambda: not late.fault, 30)
            assert sorted(also) == sorted(found), "it is ready when it has read all"
            write(stack.bootstrap, b"new")
            await until(lambda: found[-1] == also[-1] == b"new", 1)
