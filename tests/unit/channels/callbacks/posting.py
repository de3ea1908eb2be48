"""Hands a callback to a provider's reader, and gives back what it read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nextwave_channels.callbacks.evidence import Evidence, Posted, Provider, Spent


def read(door: Provider, posted: Posted) -> Sequence[Evidence | None]:
    return asyncio.run(_read(door, posted))


async def _read(door: Provider, posted: Posted) -> Sequence[Evidence | None]:
    found = await door.read(posted)
    assert not any(isinstance(one, Spent) for one in found)
    return [one for one in found if not isinstance(one, Spent)]


def post(body: bytes, wall: float = 1000.0, **headers: str) -> Posted:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Posted(url="https://channels.example/v1/callbacks/x", query={}, headers=named, body=body, wall=wall)
