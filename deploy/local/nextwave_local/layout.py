"""What one local stack consists of: replicas, ports, clock; and the settings that each process gets from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import msgspec
from nextwave_contracts.clock import ClockSetting

from nextwave_local.credentials import Credentials

SERVICES = ("ingest", "scoring", "orchestrator", "channels")
STATEFUL = ("scoring", "orchestrator", "channels")
DEFAULT_PORTS: Mapping[str, int] = {
    "ingest-0": 7401,
    "scoring-0": 7402,
    "orchestrator-0": 7403,
    "channels-0": 7404,
    "simulator": 7405,
    "smtp": 7406,
    "kafka": 7407,
    "postgres": 7408,
}
DRAIN_SECONDS = 10.0
READY_SECONDS = 240.0
"""Far more than it takes, for machines that are busy with other things."""
HOUR_SECONDS = 3600.0
DIALLER_LIST = "dialler"
"""The list whose calls are pushed to the simulator's dialler; those of all others are spoken."""
ENDPOINTS = ("webhook", "chat", "letter")
"""Channels whose contacts the simulator's webhook door takes, each at the address of its name."""


class LayoutError(ValueError):
    """The wish cannot be carried out; the message says why."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """One stack. `ports` has an entry per process (`scoring-0`, `kafka`, ...) and for `smtp`."""

    replicas: dict[str, int]
    ports: dict[str, int]
    clock: ClockSetting

    def names(self) -> tuple[str, ...]:
        """Every service process, for instance `scoring-0`."""
        return tuple(f"{service}-{number}" for service in SERVICES for number in range(self.replicas[service]))

    def url(self, name: str) -> str:
        """Where a process serves HTTP."""
        return f"http://127.0.0.1:{self.ports[name]}"


def replicas_of(wishes: list[str]) -> dict[str, int]:
    """Replicas per service from texts like `scoring=2`; one where nothing is said, none for `=0`. Raises `LayoutError`."""
    replicas = dict.fromkeys(SERVICES, 1)
    for wish in wishes:
        service, _, count = wish.partition("=")
        if service not in SERVICES or not count.isdecimal() or int(count) > 16:
            raise LayoutError(f"--replicas {wish!r}: write SERVICE=N with N up to 16 and SERVICE one of {', '.join(SERVICES)}")
        replicas[service] = int(count)
    return replicas


def watermark_seconds(speed: float) -> float:
    """How often watermarks are sent: an hour of business time, but 100 ms to 1 s of the wall's (oftener, they are most of the work)."""
    return max(0.1, min(1.0, HOUR_SECONDS / speed))


def environment(name: str, layout: Layout, secret: Credentials, keys_file: str, dsn: str) -> dict[str, str]:
    """The settings of one service process, as environment variables. `dsn` is empty for a service without a database."""
    service, _, replica = name.rpartition("-")
    settings = {
        "KAFKA": f"127.0.0.1:{layout.ports['kafka']}",
        "PORT": str(layout.ports[name]),
        "REPLICA": replica,
        "KEYS_FILE": keys_file,
        "IDENTIFIER_KEY": secret.identifier_key,
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
        **clock_settings(layout.clock),
    }
    if dsn:
        settings |= {"POSTGRES": dsn, "WATERMARK_INTERVAL_SECONDS": str(watermark_seconds(layout.clock.speed))}
    if service in ("ingest", "channels"):
        settings["LINK_KEY"] = secret.link_key
        settings["INGEST_URL"] = layout.url("ingest-0") if "ingest-0" in layout.ports else "http://127.0.0.1:9"
    if service == "channels":
        settings |= _channels(layout, secret)
    return {f"NEXTWAVE_{key}": value for key, value in settings.items()}


def clock_settings(clock: ClockSetting) -> dict[str, str]:
    """The three settings of business time."""
    return {
        "CLOCK_EPOCH_SECONDS": repr(clock.epoch_seconds),
        "CLOCK_ORIGIN": clock.origin.isoformat(),
        "CLOCK_SPEED": repr(clock.speed),
    }


def next_clock(wall: float, speed: float, origin: datetime | None, before: ClockSetting | None, reached: datetime | None) -> ClockSetting:
    """Business time of a fresh start at `wall`: from `origin`, else on from what a clock of its own `reached`, else the wall clock's.

    Raises `LayoutError` when it would go back behind what was reached.
    """
    if origin is not None and reached is not None and origin < reached:
        raise LayoutError(
            f"business time in this state has reached {reached.isoformat()} and cannot go back to {origin.isoformat()};"
            " leave out --from, or use another --state"
        )
    start = origin or (None if before == ClockSetting() else reached)
    if start is None and speed == 1.0:
        return ClockSetting()
    return ClockSetting(epoch_seconds=wall, origin=start or ClockSetting().at(wall), speed=speed)


def _channels(layout: Layout, secret: Credentials) -> dict[str, str]:
    simulator = layout.url("simulator")
    return {
        "CHANNELS_URL": layout.url("channels-0"),
        "SMTP": f"127.0.0.1:{layout.ports['smtp']}",
        "MAIL_FROM": "Nextwave <hello@nextwave.example>",
        "TWILIO_URL": simulator,
        "TWILIO_ACCOUNT": secret.twilio_account,
        "TWILIO_TOKEN": secret.twilio_token,
        "SMS_FROM": "+14155550100",
        "CALL_FROM": "+14155550101",
        "MAIL_CALLBACK_SECRET": secret.mail_callback_secret,
        "WEBPUSH_KEY": secret.webpush_key,
        "WEBPUSH_LOOPBACK": "true",
        "SMS_GATEWAY_URL": f"{simulator}/sms/v1/messages",
        "SMS_GATEWAY_SECRET": f"Bearer {secret.twilio_token}",
        "CALL_LISTS": json.dumps({DIALLER_LIST: "dialler"}),
        "DIALLER_URL": f"{simulator}/dialler/v1",
        "DIALLER_TOKEN": secret.twilio_token,
        **(_endpoints(simulator, secret.endpoint_secret) if secret.endpoint_secret else {}),
    }


def _endpoints(simulator: str, secret: str) -> dict[str, str]:
    """The house's own systems, which the simulator plays."""
    told = {"ENDPOINTS_LOOPBACK": "true"}
    for channel in ENDPOINTS:
        told |= {f"{channel.upper()}_URL": f"{simulator}/webhooks/{channel}", f"{channel.upper()}_SECRETS": secret}
    return told
