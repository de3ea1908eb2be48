"""The simulator put together: providers' doors, ledger, fault menu, people, over HTTP and SMTP in one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import httpx
import uvicorn
from nextwave_runtime import problem
from nextwave_runtime.problem import Problem
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from nextwave_local.simulator import dialler_door, httpsms_door, push_door, twilio_door, webhook_door
from nextwave_local.simulator.answering import as_json, understood
from nextwave_local.simulator.connections import ResettableProtocol
from nextwave_local.simulator.dialler_door import Dialler
from nextwave_local.simulator.errands import TIMEOUT_SECONDS, WORKERS, Errands
from nextwave_local.simulator.faults import Menu
from nextwave_local.simulator.ledger import Ledger
from nextwave_local.simulator.mail_door import listener
from nextwave_local.simulator.people import Behaviour
from nextwave_local.simulator.settings import SimulatorSettings
from nextwave_local.simulator.world import World


def application(world: World, dialler: Dialler) -> Starlette:
    """The HTTP side: the providers' APIs, and ours to steer and to look."""

    async def ledger(_: Request) -> Response:
        return StreamingResponse(iter(list(world.ledger.content())), media_type="application/x-ndjson")

    async def messages(request: Request) -> Response:
        return as_json({"items": world.inbox.shown(request.query_params.get("to", ""))})

    async def statistics(_: Request) -> Response:
        return as_json({**world.errands.statistics(), "accepted": world.ledger.totals()})

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            world.menu = understood(await request.body(), Menu)
        return as_json(world.menu)

    async def behaviour(request: Request) -> Response:
        if request.method == "PUT":
            world.behaviour = understood(await request.body(), Behaviour)
        return as_json(world.behaviour)

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return problem.response(error)

    own = [
        Route("/ledger", ledger),
        Route("/messages", messages),
        Route("/statistics", statistics),
        Route("/faults", faults, methods=["GET", "PUT"]),
        Route("/behaviour", behaviour, methods=["GET", "PUT"]),
        Route("/livez", alive),
        Route("/readyz", alive),
    ]
    doors = [door.routes(world) for door in (twilio_door, httpsms_door, push_door, webhook_door)]
    routes = [*own, *dialler_door.routes(world, dialler), *(route for door in doors for route in door)]
    return Starlette(routes=routes, exception_handlers={Problem: refused})


async def serve(settings: SimulatorSettings) -> None:
    """Runs until SIGTERM; errands still waiting are forgotten, as people forget."""
    ledger = Ledger(settings.ledger)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=httpx.Limits(max_connections=WORKERS)) as client:
        world = World(settings.doors, ledger, Errands(settings.clock, client), settings.clock)
        dialler = Dialler(world)
        mail = await asyncio.get_running_loop().create_server(lambda: listener(world), "127.0.0.1", settings.smtp_port)
        config = uvicorn.Config(
            application(world, dialler),
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
        at_work = [asyncio.create_task(world.errands.run()), asyncio.create_task(dialler.run())]
        await server.serve()
        for task in at_work:
            task.cancel()
        mail.close()
        await asyncio.gather(*at_work, return_exceptions=True)
    ledger.close()


class _Server(uvicorn.Server):
    def end(self) -> None:
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield
