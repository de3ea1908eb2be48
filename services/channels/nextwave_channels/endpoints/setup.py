"""Endpoints put together: an adapter for each that is set up, and what operators see of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import Database
from nextwave_runtime.service import Job

from nextwave_channels.adapters.webhook import Webhook
from nextwave_channels.answers import Adapter
from nextwave_channels.destinations import fault_of
from nextwave_channels.endpoints.health import Endpoints
from nextwave_channels.endpoints.message import Endpoint, secret_fault
from nextwave_channels.endpoints.routes import router
from nextwave_channels.http_port import Http
from nextwave_channels.pinning import Pinning
from nextwave_channels.settings import ChannelsSettings, EndpointSettings

SECRETS_MAX = 2
PROVIDER = "endpoint"


@dataclass(frozen=True, slots=True)
class Served:
    """What the composition root takes. A channel without an endpoint has no adapter: its contacts fail at once, and say so."""

    adapters: Mapping[tuple[str, str], Adapter]
    router: APIRouter
    jobs: tuple[Job, ...]


def make_endpoints(settings: ChannelsSettings, database: Database, clock: WallClock) -> Served:
    """Nothing is connected yet. Raises `SystemExit` for a URL or secret that cannot be meant."""
    set_up = endpoints_of(settings.endpoints)
    health, loopback = Endpoints(database), settings.endpoints.endpoints_loopback
    adapters: dict[tuple[str, str], Adapter] = {}
    for each in set_up:
        answer_seconds = settings.providers.deadline_seconds(each.channel, PROVIDER)
        http = Http(answer_seconds=answer_seconds, transport=Pinning(loopback=loopback))
        adapters[each.channel, PROVIDER] = Webhook(http, each, health, clock.wall)
    jobs = (health.watch,) if set_up else ()
    return Served(adapters, router(database, Keyring(settings.keys_file), set_up), jobs)


def endpoints_of(settings: EndpointSettings) -> tuple[Endpoint, ...]:
    """Those that have a URL. Raises `SystemExit`."""
    given = (
        ("webhook", settings.webhook_url, settings.webhook_secrets),
        ("chat", settings.chat_url, settings.chat_secrets),
        ("letter", settings.letter_url, settings.letter_secrets),
    )
    found = (Endpoint(channel=channel, url=url, secrets=tuple(kept.get_secret_value().split())) for channel, url, kept in given if url)
    return tuple(_checked(each, loopback=settings.endpoints_loopback) for each in found)


def _checked(endpoint: Endpoint, *, loopback: bool) -> Endpoint:
    name, wrong = endpoint.channel.upper(), fault_of(endpoint.url, loopback=loopback)
    if wrong:
        raise SystemExit(f"NEXTWAVE_{name}_URL: {wrong}")
    faults = [fault for secret in endpoint.secrets if (fault := secret_fault(secret))]
    if faults or not 1 <= len(endpoint.secrets) <= SECRETS_MAX:
        detail = faults[0] if faults else "give one secret, or two separated by a space while one replaces the other"
        raise SystemExit(f"NEXTWAVE_{name}_SECRETS: {detail}")
    return endpoint
