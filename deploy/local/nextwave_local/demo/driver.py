"""Posts the play: each item when the business clock reaches its instant, in order, and remembers what a door took."""

from __future__ import annotations

import asyncio
import base64
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

import httpx
from nextwave_contracts.clock import ClockSetting

from nextwave_local.demo.items import Item
from nextwave_local.demo.standing import Posted

TICK_SECONDS = 0.05
BATCH_ITEMS_MAX = 300
"""Of about 300 bytes each: well below the doors' 500 KB."""
TRIES = 10
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 3.0


class Driver:
    """One run of a play. `keys` are write keys by name; `clock` says when an item's instant comes."""

    def __init__(self, items: Sequence[Item], clock: ClockSetting, keys: Mapping[str, str]) -> None:
        self._items = items
        self._instants = [item.at for item in items]
        self._clock = clock
        self._headers = {name: {"authorization": _basic(secret)} for name, secret in keys.items()}
        self.posted = Posted()

    async def play(self, ingest: httpx.AsyncClient) -> None:
        """Posts everything to the doors; returns when the last item was answered."""
        done = 0
        while done < len(self._items):
            begun = time.time()
            due = bisect_right(self._instants, self._clock.at(begun), lo=done)
            await self._post_all(ingest, self._items[done:due])
            done = due
            await asyncio.sleep(max(0.0, TICK_SECONDS - (time.time() - begun)))

    async def _post_all(self, client: httpx.AsyncClient, items: Sequence[Item]) -> None:
        """The items of one tick; those of one source one after the other, sources side by side."""
        by_key: dict[str, list[Item]] = {}
        for item in items:
            by_key.setdefault(f"{item.door}/{item.key}", []).append(item)
        await asyncio.gather(*(self._post_in_order(client, group) for group in by_key.values()))

    async def _post_in_order(self, client: httpx.AsyncClient, items: Sequence[Item]) -> None:
        for batch in _batches(items):
            taken = await self._post(client, batch)
            self.posted.acknowledged += len(batch) * taken
            self.posted.refused += len(batch) * (not taken)
            if taken:
                self.posted.accepted.update(item.name for item in batch)

    async def _post(self, client: httpx.AsyncClient, batch: Sequence[Item]) -> bool:
        """Whether a door took it. What may have been taken is posted again: the same ids are the same touchpoints."""
        path, kind, body = _request(batch)
        headers = self._headers[batch[0].key] | {"content-type": kind}
        for attempt in range(TRIES):
            if attempt:
                self.posted.retried += 1
                await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**attempt))
            try:
                answer = await client.post(path, content=body, headers=headers)
            except httpx.HTTPError:
                continue
            if answer.is_success:
                return True
            if not answer.is_server_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return False
        return False


def _request(batch: Sequence[Item]) -> tuple[str, str, bytes]:
    """Path, content type and body."""
    joined = b"[" + b",".join(item.body for item in batch) + b"]"
    if batch[0].door == "segment":
        return "/v1/batch", "application/json", b'{"batch":' + joined + b"}"
    return "/v1/touchpoints", "application/cloudevents-batch+json", joined


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH_ITEMS_MAX] for start in range(0, len(items), BATCH_ITEMS_MAX))


def _basic(secret: str) -> str:
    return "Basic " + base64.b64encode(f"{secret}:".encode()).decode()
