"""Web push put together: its adapter where there is a key to send with, and the routes of pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import partial

from fastapi import APIRouter
from nextwave_runtime.auth import Keyring
from nextwave_runtime.service import Job

from nextwave_channels.adapters.webpush import WebPush
from nextwave_channels.answers import Adapter
from nextwave_channels.claiming import Desk
from nextwave_channels.http_port import Http
from nextwave_channels.pinning import Pinning
from nextwave_channels.push import sealing
from nextwave_channels.push.routes import Counter, router
from nextwave_channels.push.sealing import Sender
from nextwave_channels.push.subscriptions import Subscriptions, watch_subscriptions
from nextwave_channels.settings import ChannelsSettings


@dataclass(frozen=True, slots=True)
class Push:
    """What the composition root takes. `adapters` is empty where nothing can be sent."""

    adapters: Mapping[tuple[str, str], Adapter]
    router: APIRouter
    watch: Job


def make_push(settings: ChannelsSettings, desk: Desk) -> Push:
    """Nothing is connected yet. Raises `SystemExit` for a key that is none."""
    subscriptions, sender = Subscriptions(desk.database), _sender(settings)
    counter = Counter(
        subscriptions=subscriptions,
        sender=sender,
        subscriptions_max=settings.pages.webpush_subscriptions_max,
        desk=desk,
        loopback=settings.pages.webpush_loopback,
        keyring=Keyring(settings.keys_file),
        identifier_key=settings.identifier_key.get_secret_value().encode(),
    )
    watch = partial(watch_subscriptions, subscriptions)
    if sender is None:
        return Push({}, router(counter), watch)
    answer_seconds = settings.providers.deadline_seconds("webpush", "vapid")
    http = Http(answer_seconds=answer_seconds, transport=Pinning(loopback=settings.pages.webpush_loopback))
    adapter = WebPush(http, subscriptions, sender, desk.clock.wall, settings.clock.wall)
    return Push({("webpush", "vapid"): adapter}, router(counter), watch)


def _sender(settings: ChannelsSettings) -> Sender | None:
    secret = settings.pages.webpush_key.get_secret_value()
    if not secret:
        return None
    try:
        return sealing.sender(secret, settings.pages.webpush_contact or f"mailto:{parseaddr(settings.mail.mail_from)[1]}")
    except ValueError as wrong:
        raise SystemExit(f"NEXTWAVE_WEBPUSH_KEY: {wrong}") from wrong
