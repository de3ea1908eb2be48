"""The simulator put together: provider doors, ledger, fault menu, people, over HTTP and SMTP in one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any, TypeVar

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from nextwave_local.simulator import twilio_door
from nextwave_local.simulator.connections import ResettableProtocol
from nextwave_local.simulator.errands import TIMEOUT_SECONDS, WORKERS, Errands
from nextwave_local.simulator.faults import Menu
from nextwave_local.simulator.ledger import Ledger
from nextwave_local.simulator.mail_door import listener
from nextwave_local.simulator.people import Behaviour
from nextwave_local.simulator.settings import SimulatorSettings
from nextwave_local.simulator.world import World

Body = TypeVar("Body", Menu, Behaviour)


def application(world: World) -> Starlette:
    """The HTTP side: the provider's API, and ours to steer and to look."""

    async def ledger(_: Request) -> Response:
        return StreamingResponse(iter(list(world.ledger.content())), media_type="application/x-ndjson")

    async def statistics(_: Request) -> Response:
        return _json({**world.errands.statistics(), "accepted": world.ledger.totals()})

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            world.menu = await _read(request, Menu)
        return _json(world.menu)

    async def behaviour(request: Request) -> Response:
        if request.method == "PUT":
            world.behaviour = await _read(request, Behaviour)
        return _json(world.behaviour)

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def refused(_: Request, error: Exception) -> Response:
        return _json({"type": "urn:nextwave:problem:invalid", "title": "not understood", "status": 422, "detail": str(error)}, 422)

    own = [
        Route("/ledger", ledger),
        Route("/statistics", statistics),
        Route("/faults", faults, methods=["GET", "PUT"]),
        Route("/behaviour", behaviour, methods=["GET", "PUT"]),
        Route("/livez", alive),
        Route("/readyz", alive),
    ]
    return Starlette(routes=[*twilio_door.routes(world), *own], exception_handlers={msgspec.MsgspecError: refused})


async def serve(settings: SimulatorSettings) -> None:
    """Runs until SIGTERM; errands still waiting are forgotten, as people forget."""
    ledger = Ledger(settings.ledger)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=httpx.Limits(max_connections=WORKERS)) as client:
        world = World(settings.doors, ledger, Errands(settings.clock, client), settings.clock)
        mail = await asyncio.get_running_loop().create_server(lambda: listener(world), "127.0.0.1", settings.smtp_port)
        config = uvicorn.Config(
            application(world),
            host="127.0.0.1",
            port=settings.port,
            http=ResettableProtocol,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        server = _Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.end)
        errands = asyncio.create_task(world.errands.run())
        await server.serve()
        errands.cancel()
        mail.close()
        await asyncio.gather(errands, return_exceptions=True)
    ledger.close()


class _Server(uvicorn.Server):
    def end(self) -> None:
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def _read(request: Request, kind: type[Body]) -> Body:
    return msgspec.json.decode(await request.body(), type=kind)


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
