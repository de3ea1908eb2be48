"""A consumer is let go whatever breaks inside it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer
from nextwave_runtime.membership import let_go


class Breaking:
    """A consumer that stops with this error, and its client, which tells when it was closed."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error
        self._client = SimpleNamespace(close=self._close)
        self.is_closed = False

    async def stop(self) -> None:
        if self._error is None:
            await asyncio.sleep(60)
        else:
            raise self._error

    async def _close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("error", [asyncio.CancelledError(), RuntimeError("the handler is closed")])
async def test_what_breaks_in_a_consumer_ends_with_it_and_its_connections_are_closed(error: BaseException) -> None:
    consumer = Breaking(error)
    await let_go(cast("AIOKafkaConsumer", consumer))
    assert consumer.is_closed


async def test_who_lets_a_consumer_go_can_be_cancelled() -> None:
    letting: asyncio.Task[Any] = asyncio.create_task(let_go(cast("AIOKafkaConsumer", Breaking(None))))
    await asyncio.sleep(0)
    letting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await letting
