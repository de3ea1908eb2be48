"""The composition root of the channels: the only place where adapters, database, processor and HTTP meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI
from nextwave_runtime import problem
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import DatabaseClock, steady_seconds
from nextwave_runtime.database import Database
from nextwave_runtime.processor import Processor
from nextwave_runtime.service import Service

from nextwave_channels import api
from nextwave_channels.adapters import twilio
from nextwave_channels.adapters.call import Call
from nextwave_channels.adapters.email import Email
from nextwave_channels.adapters.sms import Sms
from nextwave_channels.answers import Adapter
from nextwave_channels.callbacks import routes as callbacks
from nextwave_channels.callbacks.inbox import Inbox, watch_unmatched
from nextwave_channels.callbacks.setup import providers
from nextwave_channels.claiming import Desk, watch
from nextwave_channels.dispatcher import Bell, Dispatcher
from nextwave_channels.horizon import HoldsHorizon
from nextwave_channels.http_port import Http
from nextwave_channels.intake import Intake
from nextwave_channels.mail import Letterhead
from nextwave_channels.pacing import PACES
from nextwave_channels.settings import ChannelsSettings

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
    adapters = make_adapters(settings, shared.clock)
    bell = Bell()
    clock_setting = settings.clock
    desk = Desk(
        database=shared.database,
        clock=shared.clock,
        partitions=settings.partitions,
        until=lambda business: clock_setting.wall(business) - shared.clock.wall(),
        monotonic=steady_seconds,
        horizon=horizon.look,
    )
    inbox = Inbox(
        database=shared.database,
        clock=shared.clock,
        partitions=settings.partitions,
        identifier_key=settings.identifier_key.get_secret_value().encode(),
    )
    fetching = Http(connections=4)
    intake = Intake(frozenset(adapters), bell.ring)
    dispatchers = [Dispatcher(name, adapter, PACES[name], desk, bell) for name, adapter in adapters.items()]
    return Service(
        name="channels",
        app=_http(settings, shared, inbox, fetching),
        processors=(Processor(intake, database=shared.database, settings=settings, clock=shared.clock),),
        starting=(shared.clock.set,),
        background=(
            shared.clock.follow,
            *(dispatcher.run for dispatcher in dispatchers),
            partial(watch, desk),
            partial(watch_unmatched, inbox),
        ),
        closing=(*(adapter.close for adapter in adapters.values()), horizon.close, fetching.close, shared.database.close),
    )


def make_adapters(settings: ChannelsSettings, clock: DatabaseClock) -> Mapping[str, Adapter]:
    """One adapter for each channel, each with connections of its own."""
    mail, phone = settings.mail, settings.twilio
    account = twilio.Account(
        url=phone.twilio_url,
        sid=phone.twilio_account,
        token=phone.twilio_token.get_secret_value(),
        callbacks_url=settings.channels_url,
    )
    letterhead = Letterhead(sender=mail.mail_from, links_url=mail.ingest_url, key=mail.link_key.get_secret_value().encode())
    return {
        "email": Email(mail.smtp, letterhead, wall=lambda: datetime.fromtimestamp(clock.wall(), UTC)),
        "sms": Sms(Http(), account, phone.sms_from),
        "call": Call(Http(), account, phone.call_from),
    }


def _http(settings: ChannelsSettings, shared: _Shared, inbox: Inbox, fetching: Http) -> FastAPI:
    app = FastAPI(title="Nextwave channels", version="1", openapi_url="/openapi.json", docs_url="/docs", redoc_url=None)
    problem.install(app)
    office = api.Office(
        database=shared.database,
        clock=shared.clock,
        keyring=Keyring(settings.keys_file),
        identifier_key=settings.identifier_key.get_secret_value().encode(),
        partitions=settings.partitions,
    )
    app.include_router(api.router(office))
    doors = providers(settings.callbacks, settings.mail, settings.twilio, fetching)
    app.include_router(callbacks.router(inbox, doors, settings.channels_url))
    app.include_router(callbacks.listing(inbox, office.keyring))
    return app
