"""The composition root of the channels: the only place where adapters, database, processor and HTTP meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from nextwave_runtime import problem
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import DatabaseClock, steady_seconds
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor
from nextwave_runtime.service import Service

from nextwave_channels import api, forgetting, providers_api
from nextwave_channels.call_lists.entry import DIALLER
from nextwave_channels.call_lists.setup import channels_of, make_call_lists, pushed_routes, release_of
from nextwave_channels.callbacks.setup import make_callbacks
from nextwave_channels.claiming import Desk, watch
from nextwave_channels.dispatcher import Bell, Dispatcher
from nextwave_channels.dues import Dues
from nextwave_channels.endpoints.setup import make_endpoints
from nextwave_channels.horizon import HoldsHorizon
from nextwave_channels.intake import Intake
from nextwave_channels.office import Office
from nextwave_channels.onsite.setup import make_onsite
from nextwave_channels.outlets import Outlets
from nextwave_channels.providers import make_adapters, make_outlets
from nextwave_channels.push.setup import make_push
from nextwave_channels.settings import ChannelsSettings
from nextwave_channels.tasks.setup import make_tasks

POOL = 20
"""Database connections: one for each partition's batch, and enough that recording answers never waits for callbacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    database: Database
    clock: DatabaseClock


def build(settings: ChannelsSettings) -> Service:
    """The whole service; nothing is connected yet."""
    database = Database(settings.postgres.get_secret_value(), pool_size=POOL)
    shared = _Shared(database=database, clock=DatabaseClock(settings.clock, database.wall_seconds))
    horizon = HoldsHorizon(settings.kafka, settings.partitions, steady_seconds)
    bell = Bell()
    desk = _desk(settings, shared, horizon)
    push = make_push(settings, desk)
    endpoints = make_endpoints(settings, shared.database, shared.clock)
    adapters = {**make_adapters(settings, shared.clock), **push.adapters, **endpoints.adapters}
    outlets = make_outlets(settings.providers, {**adapters, **pushed_routes(settings.calls)}, shared.clock)
    calls = make_call_lists(settings, desk, bell, outlets.get(DIALLER))
    called = channels_of(settings.calls, spoken="call" in outlets)
    onsite = make_onsite(settings, desk, bell)
    tasks = make_tasks(settings, desk)
    told = make_callbacks(settings, desk)
    intake = Intake(frozenset({*outlets, *called, onsite.channel, tasks.channel} - {DIALLER}), bell.ring, settings.stop_confirmation)
    dispatchers = [Dispatcher(each, desk, bell) for name, each in outlets.items() if name != DIALLER]
    app = _http(settings, shared, outlets)
    for router in (told.router, calls.router, onsite.router, push.router, tasks.router, endpoints.router):
        app.include_router(router)
    return Service(
        name="channels",
        app=app,
        processors=(Processor(intake, database=shared.database, settings=settings, clock=shared.clock),),
        starting=(shared.clock.set,),
        background=(
            shared.clock.follow,
            *(dispatcher.run for dispatcher in dispatchers),
            partial(watch, desk),
            partial(forgetting.watch, desk),
            told.watch,
            push.watch,
            *calls.jobs,
            *endpoints.jobs,
            onsite.hand_out,
        ),
        closing=(*(adapter.close for adapter in adapters.values()), *calls.closing, horizon.close, told.close, shared.database.close),
    )


def _desk(settings: ChannelsSettings, shared: _Shared, horizon: HoldsHorizon) -> Desk:
    clock_setting = settings.clock
    return Desk(
        database=shared.database,
        clock=shared.clock,
        partitions=settings.partitions,
        until=lambda business: clock_setting.wall(business) - shared.clock.wall(),
        monotonic=steady_seconds,
        horizon=horizon.look,
        dues=Dues(shared.database, steady_seconds),
        calls=release_of(settings.calls, "twilio"),
    )


def _http(settings: ChannelsSettings, shared: _Shared, outlets: Mapping[str, Outlets]) -> FastAPI:
    app = FastAPI(title="Nextwave channels", version="1", openapi_url="/openapi.json", docs_url="/docs", redoc_url=None)
    problem.install(app)
    office = Office(
        database=shared.database,
        clock=shared.clock,
        keyring=Keyring(settings.keys_file),
        identifier_key=settings.identifier_key.get_secret_value().encode(),
        partitions=settings.partitions,
    )
    app.include_router(api.router(office))
    board = providers_api.Board(
        database=shared.database, clock=shared.clock, keyring=office.keyring, outlets=outlets, replica=settings.replica
    )
    app.include_router(providers_api.router(board))
    return app
