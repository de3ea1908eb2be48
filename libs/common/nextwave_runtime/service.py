"""The life of a service: start, be ready, drain on SIGTERM, end; the same for all four, so that operations learn it once."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
import uvicorn
import uvloop
from pydantic import SecretStr

from nextwave_runtime import logs, tracing
from nextwave_runtime.bounded_http import Crowd
from nextwave_runtime.health import App, Probes
from nextwave_runtime.processor import Processor
from nextwave_runtime.settings import REFUSED_CODE, ProcessorSettings, RefusedSettingsError, ServiceSettings, read

Settings = TypeVar("Settings", bound=ServiceSettings)
Job = Callable[[], Awaitable[None]]

COLLECT_EVERY = 10_000
"""So many new objects, and the collector looks for cycles among them; what was there at the start it never looks at again."""
WAITS = "waits for the database"
"""Why a service is not ready that has not done yet what it does before everything else."""
_UVICORN: dict[str, Any] = {"log_config": None, "lifespan": "off", "access_log": False, "ws": "none"}
_UVICORN |= {"proxy_headers": False, "server_header": False}  # nothing here asks who called, and nobody need know what answers
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a composition root builds. `background` jobs run until cancelled; one that ends or raises ends the service.

    Until the `starting` jobs are done only the probes and metrics are answered, and neither processors nor background jobs run.
    """

    name: str
    app: App
    processors: tuple[Processor, ...] = ()
    starting: tuple[Job, ...] = ()
    background: tuple[Job, ...] = ()
    closing: tuple[Job, ...] = ()
    ready: Callable[[], str] = lambda: ""
    """A fault that keeps traffic away, or an empty text."""


def run(name: str, settings_type: type[Settings], build: Callable[[Settings], Service], *, migrate: str = "") -> None:
    """`__main__` of a service: `--check` prints the settings in force, `migrate` brings the database up to date, nothing runs it."""
    command = " ".join(sys.argv[1:])
    if command not in {"", "--check", "migrate" if migrate else ""}:
        sys.exit(f"unknown command {command!r}: use --check" + (", migrate" if migrate else "") + ", or nothing to run the service")
    try:
        settings = read(settings_type)
    except RefusedSettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED_CODE)
    if command == "--check":
        sys.stdout.write("".join(f"{key} = {_shown(value)}\n" for key, value in sorted(settings.model_dump().items())))
        return
    logs.configure(name, settings.replica, settings.log_level)
    if command == "migrate" and migrate and isinstance(settings, ProcessorSettings):
        from nextwave_runtime.migrate import upgrade  # noqa: PLC0415  (Alembic takes 0.8 s to import and a running service needs none)

        upgrade(migrate, settings.postgres.get_secret_value())
        return
    tracing.configure(name, settings.trace_endpoint)
    sys.exit(uvloop.run(_live(build(settings), settings)))


async def _live(service: Service, settings: ServiceSettings) -> int:
    """Runs the service until a signal or a failure; 0 after a clean drain."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    starting = asyncio.create_task(_start(service), name="start")
    server = Server(_probes(service, starting, stopping), settings.connections_max, host=settings.host, port=settings.port)
    serving: asyncio.Future[Any] = asyncio.create_task(server.serve(), name="http")
    waiting: asyncio.Future[Any] = asyncio.create_task(stopping.wait())
    jobs: list[asyncio.Future[Any]] = []
    work: list[asyncio.Future[Any]] = []
    done: set[asyncio.Future[Any]]
    done, _ = await asyncio.wait([waiting, serving, starting], return_when=asyncio.FIRST_COMPLETED)
    if done == {starting} and starting.exception() is None:
        spare_the_collector()
        jobs += [asyncio.ensure_future(job()) for job in service.background]
        work += [asyncio.create_task(processor.run(), name=processor.name) for processor in service.processors]
        done, _ = await asyncio.wait([waiting, serving, *work, *jobs], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in done if task is not waiting and not (task is starting and starting.exception() is None)]
    for task in failed:
        _log.error("service_fails", part=str(task), error=repr(task.exception()) if not task.cancelled() else "cancelled")
    stopping.set()
    async with _limited(settings.drain_seconds):
        for processor in service.processors:
            processor.stop()
        await asyncio.gather(*work, return_exceptions=True)
        for task in (starting, *jobs):
            task.cancel()
        await asyncio.gather(starting, *jobs, return_exceptions=True)
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        for job in service.closing:
            await job()
    waiting.cancel()
    _log.info("service_ends", clean=not failed)
    return 1 if failed else 0


def spare_the_collector() -> None:
    """Code and settings live as long as the process: looking through them for garbage cost a quarter of scoring's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)


async def _start(service: Service) -> None:
    """Does what comes before everything else, which may wait long for a database."""
    for job in service.starting:
        await job()


def _probes(service: Service, starting: asyncio.Task[None], stopping: asyncio.Event) -> Probes:
    """The service's application behind its probes, which answer from the first moment on."""

    def start_fault() -> str:
        return "" if starting.done() else WAITS

    def ready_fault() -> str:
        return "draining" if stopping.is_set() else start_fault() or _ready_fault(service)

    return Probes(service.app, live=lambda: _live_fault(service), ready=ready_fault, starting=start_fault)


class Server(uvicorn.Server):
    """uvicorn with bounds for its clients and without its own signal handling: the service decides when it ends."""

    def __init__(self, app: App, connections_max: int, **where: Any) -> None:
        self._crowd = Crowd(connections_max)
        super().__init__(uvicorn.Config(app, http=self._crowd.protocol, **_UVICORN, **where))  # type: ignore[arg-type]  # called as a type

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % 10 == 0:
            self._crowd.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _limited(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        _log.error("drain_incomplete", seconds=seconds)


def _live_fault(service: Service) -> str:
    stuck = [p.name for p in service.processors if p.stuck]
    return f"{', '.join(stuck)}: unread messages, and no movement" if stuck else ""


def _ready_fault(service: Service) -> str:
    waiting = [p.name for p in service.processors if not p.ready]
    return f"{', '.join(waiting)}: waiting for Kafka" if waiting else service.ready()


def _shown(value: object) -> str:
    return "********" if isinstance(value, SecretStr) else str(value)
