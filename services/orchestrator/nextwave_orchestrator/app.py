"""The composition root of the orchestrator: the only place where catalogue, fold, processor, database and HTTP meet."""

from __future__ import annotations

from fastapi import FastAPI, Request
from nextwave_runtime import problem
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import DatabaseClock
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor, Watermarks
from nextwave_runtime.service import Service
from starlette.responses import Response

from nextwave_orchestrator.api import campaigns, house, segments
from nextwave_orchestrator.api.control import Control, refused
from nextwave_orchestrator.api.decisions import decisions_router
from nextwave_orchestrator.api.schema import describe
from nextwave_orchestrator.catalogue_store import PostgresCatalogue
from nextwave_orchestrator.faults import FaultyError
from nextwave_orchestrator.fold import Decider
from nextwave_orchestrator.live import LiveCatalogue
from nextwave_orchestrator.settings import OrchestratorSettings

AWAITED = ("scoring.touchpoints", "scoring.outcomes")
"""Whose word waves wait for: no window closes before everything received up to its end was taken in there."""


def build(settings: OrchestratorSettings) -> Service:
    """The whole service; nothing is connected yet."""
    database = Database(settings.postgres.get_secret_value())
    clock, keyring = DatabaseClock(settings.clock, database.wall_seconds), Keyring(settings.keys_file)
    store = PostgresCatalogue(database, clock, settings.partitions)
    live = LiveCatalogue(store, settings.identifier_key.get_secret_value().encode())
    app = make_app(Control(store=store, clock=clock, keyring=keyring, editor_budget_max=settings.editor_budget_max))
    app.include_router(decisions_router(database, keyring))
    processor = Processor(Decider(live.current), database=database, settings=settings, clock=clock, watermarks=Watermarks(awaits=AWAITED))
    return Service(
        name="orchestrator",
        app=app,
        processors=(processor,),
        starting=(clock.set, live.load),
        background=(clock.follow, live.watch),
        closing=(database.close,),
    )


def make_app(control: Control) -> FastAPI:
    """The campaign owner's API over a control."""
    app = FastAPI(
        title="Nextwave orchestrator",
        version="1",
        description="Segments, campaigns, policy, and why everything was decided.",
        redoc_url=None,
    )
    app.state.control = control
    for router in (segments.router, campaigns.router, house.router):
        app.include_router(router)
    problem.install(app)
    app.add_exception_handler(FaultyError, _faulty)
    describe(app)
    return app


async def _faulty(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FaultyError)
    return problem.response(refused(error.faults))
