"""A future that a library cancels must not end the task that waits for it; our own cancellation must."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_runtime import publisher
from nextwave_runtime.cancelling import is_meant
from nextwave_runtime.outbox import Record
from nextwave_runtime.publisher import Publisher


async def _ask(waited_for: asyncio.Future[None]) -> bool:
    try:
        await waited_for
    except asyncio.CancelledError:
        return is_meant()
    return False


async def test_a_cancelled_future_is_no_cancellation_of_whoever_waits_for_it() -> None:
    future = asyncio.get_running_loop().create_future()
    asking = asyncio.create_task(_ask(future))
    await asyncio.sleep(0)
    future.cancel()
    assert await asking is False


async def test_a_cancelled_task_knows_that_it_is_meant() -> None:
    asking = asyncio.create_task(_ask(asyncio.get_running_loop().create_future()))
    await asyncio.sleep(0)
    asking.cancel()
    assert await asking is True


class GoneProducer:
    """A producer whose first acknowledgement is cancelled, as when another partition's failure stops it, or fails with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent = 0
        self.error = error

    async def send(self, *_given: Any, **_more: Any) -> asyncio.Future[None]:
        self.sent += 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.sent == 1 and self.error:
            done.set_exception(self.error)
        elif self.sent == 1:
            done.cancel()
        else:
            done.set_result(None)
        return done

    async def stop(self) -> None:
        """Nothing to let go."""


CLOSED = RuntimeError("unable to perform operation on <TCPTransport closed=True reading=False 0x0>; the handler is closed")
"""What uvloop says of a connection that went a moment before."""


@pytest.mark.parametrize("error", [None, CLOSED], ids=["cancelled", "closed"])
async def test_what_was_not_acknowledged_because_its_producer_went_is_published_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setattr(publisher, "RETRY_SECONDS", (0.0,))
    producer = GoneProducer(error)
    publishing = Publisher("nowhere:1", "test")
    publishing._current = lambda: _given(producer)  # type: ignore[method-assign]
    await asyncio.wait_for(publishing.publish([Record(TOUCHPOINTS.name, 0, b"k", b"v", [])]), 5)
    assert producer.sent == 2


async def _given(producer: GoneProducer) -> GoneProducer:
    return producer
