"""The composition root of the orchestrator: the only place where catalogue, fold, processor, database and HTTP meet."""

from __future__ import annotations

from functools import partial

from fastapi import Depends, FastAPI
from nextwave_runtime import problem, written
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import DatabaseClock
from nextwave_runtime.database import Database
from nextwave_runtime.parameters import known_only
from nextwave_runtime.processor import Processor, Watermarks
from nextwave_runtime.service import Service

from nextwave_orchestrator.api import allowances, campaigns, house, planning, rules, segments, shipped, trial, versions
from nextwave_orchestrator.api.control import Control
from nextwave_orchestrator.api.decisions import decisions_router
from nextwave_orchestrator.api.inbound import inbound_router
from nextwave_orchestrator.api.members import audience_sizes, members_router
from nextwave_orchestrator.api.previews import previews_router
from nextwave_orchestrator.api.proofs import proofs_router
from nextwave_orchestrator.api.reports import reports_router
from nextwave_orchestrator.api.schema import describe
from nextwave_orchestrator.campaigns.lifecycle import Limits
from nextwave_orchestrator.catalogue_store import PostgresCatalogue
from nextwave_orchestrator.fold import Decider
from nextwave_orchestrator.live import LiveCatalogue
from nextwave_orchestrator.responses.learning import Learning
from nextwave_orchestrator.settings import OrchestratorSettings
from nextwave_orchestrator.store import find_state

AWAITED = ("scoring.touchpoints", "scoring.outcomes")
"""Whose word waves wait for: no window closes before everything received up to its end was taken in there."""

OWNERS = (rules, planning, segments, versions, campaigns, house, allowances, shipped, trial)
"""The parts of the campaign owner's API."""


def build(settings: OrchestratorSettings) -> Service:
    """The whole service; nothing is connected yet."""
    database = Database(settings.postgres.get_secret_value())
    clock, keyring = DatabaseClock(settings.clock, database.wall_seconds), Keyring(settings.keys_file)
    store = PostgresCatalogue(database, clock, settings.partitions)
    limits = Limits(budget_max=settings.editor_budget_max, audience_max=settings.editor_audience_max)
    live = LiveCatalogue(store, settings.identifier_key.get_secret_value().encode(), Learning(database, clock).read)
    sizes = audience_sizes(database, clock)
    app = make_app(Control(store=store, clock=clock, keyring=keyring, limits=limits, sizes=sizes))
    app.include_router(members_router(database))
    app.include_router(decisions_router(database, keyring))
    find = partial(find_state, database)
    app.include_router(inbound_router(find, live.current, clock, keyring))
    app.include_router(previews_router(find))
    app.include_router(proofs_router(find))
    app.include_router(reports_router(database, keyring, live.current))
    processor = Processor(Decider(live.current), database=database, settings=settings, clock=clock, watermarks=Watermarks(awaits=AWAITED))
    return Service(
        name="orchestrator",
        app=app,
        processors=(processor,),
        starting=(clock.set, live.load, live.learn),
        background=(clock.follow, live.watch, live.keep_learning),
        closing=(database.close,),
    )


def make_app(control: Control) -> FastAPI:
    """The campaign owner's API over a control."""
    app = FastAPI(
        title="Nextwave orchestrator",
        version="1",
        description="Segments, campaigns, policy, and why everything was decided.",
        redoc_url=None,
        dependencies=[Depends(known_only)],
    )
    app.state.control = control
    for module in OWNERS:
        app.include_router(module.router)
    problem.install(app)
    written.install(app)
    describe(app)
    return app
