"""The on-site channel over HTTP as shops' pages reach it, on one channels database: the real routes under uvicorn, the real loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from channel_contacts import a_contact
from channels_place import Place
from fastapi import FastAPI
from nextwave_channels.dispatcher import Bell
from nextwave_channels.onsite import routes
from nextwave_channels.onsite.handing import HandingOut
from nextwave_channels.onsite.pages import OpenPages
from nextwave_contracts.actions import Contact, Content
from nextwave_contracts.identifiers import blind
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from nextwave_runtime.health import App
from unit.ingest.fakes import WRITE_KEY

IDENTIFIER_KEY = b"i" * 32
ANN = "anonymous-ann-0001"


def invitation(action_id: str = "action-1", *, anonymous_id: str = ANN, **changes: Any) -> Contact:
    """An invitation to whoever has this anonymous id, and to the customer c-1 that they are."""
    names = (f"anonymous_id:{anonymous_id}", "customer_id:c-1")
    known: dict[str, Any] = {
        "action_id": action_id,
        "channel": "onsite",
        "purpose": "service",
        "address": "external:nextwave:customer-1",
        "content": Content(text="Can we help you? Chat at https://shop.example/chat now.", subject="Need a hand?"),
        "subjects": tuple(blind(name, IDENTIFIER_KEY) for name in names),
    }
    return a_contact(**{**known, **changes})


@dataclass
class Porch:
    """Where pages listen, and what stands behind it."""

    url: str
    place: Place
    bell: Bell
    pages: OpenPages
    app: FastAPI

    async def put(self, *contacts: Contact) -> None:
        """Queues invitations, as the intake does."""
        self.place.clock.instant += timedelta(milliseconds=1)
        await self.place.put(*contacts, due_at=self.place.clock.instant)
        self.bell.ring("onsite")

    def stream(self, anonymous_id: str = ANN, **more: str) -> str:
        """The address of a visitor's stream."""
        return str(httpx.URL(f"{self.url}/v1/onsite/stream", params={"write_key": WRITE_KEY, "anonymous_id": anonymous_id, **more}))

    async def say(self, what: str, *, action_id: str = "action-1", anonymous_id: str = ANN, key: str = WRITE_KEY) -> int:
        """The status of a page's report."""
        async with httpx.AsyncClient() as client:
            body = json.dumps({"write_key": key, "anonymous_id": anonymous_id})
            return (await client.post(f"{self.url}/v1/onsite/{action_id}:{what}", content=body)).status_code


@dataclass
class Listener:
    """A page that reads its stream; None ends it. `retry_ms`: after how long it shall come again, as it was told last."""

    told: asyncio.Queue[dict[str, Any] | None]
    retry_ms: int = 0

    async def next(self, seconds: float = 10.0) -> dict[str, Any] | None:
        """The next invitation, with its `id`; None where the stream ends or stays silent for so long."""
        try:
            return await asyncio.wait_for(self.told.get(), seconds)
        except TimeoutError:
            return None


async def _read(lines: AsyncIterator[str], listener: Listener) -> None:
    named: dict[str, Any] = {}
    try:
        async for line in lines:
            name, _, value = line.partition(": ")
            if name == "id":
                named["id"] = value
            elif name == "data":
                listener.told.put_nowait(named | json.loads(value))
            elif name == "retry":
                listener.retry_ms = int(value)
    finally:
        listener.told.put_nowait(None)


@asynccontextmanager
async def listening(porch: Porch, anonymous_id: str = ANN, **headers: str) -> AsyncIterator[Listener]:
    """An open page of this visitor, from when it is welcome."""
    async with httpx.AsyncClient(timeout=30) as client, client.stream("GET", porch.stream(anonymous_id), headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        lines = response.aiter_lines()
        assert (await anext(lines)).startswith("retry: ")
        listener = Listener(asyncio.Queue())
        reading = asyncio.create_task(_read(lines, listener))
        yield listener
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def open_porch(place: Place, folder: Path, *, most: int = 100, ingest_url: str = "http://127.0.0.1:9") -> AsyncIterator[Porch]:
    """The on-site channel of this database, serving and handing out."""
    (folder / "keys.json").write_bytes(
        encode(KeyFile(pepper="p", keys=(Key(name="shop", kind="write", hash=hash_secret(WRITE_KEY, "p")),)))
    )
    bell, pages = Bell(), OpenPages(most)
    handing = HandingOut(place.desk, bell, pages)
    porch = routes.Porch(
        desk=place.desk,
        handing=handing,
        keyring=Keyring(folder / "keys.json"),
        identifier_key=IDENTIFIER_KEY,
        ingest_url=ingest_url,
    )
    app = FastAPI()
    problem.install(app)
    app.include_router(routes.router(porch))
    loop = asyncio.create_task(handing.run())
    app.state.handing, app.state.loop = handing, loop
    async with serving(app) as url:
        yield Porch(url, place, bell, pages, app)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    """An application under uvicorn in this loop; its URL."""
    server = _Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task
