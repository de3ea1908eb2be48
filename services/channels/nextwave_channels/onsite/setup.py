"""On-site invitations put together: the loop, and the routes of pages."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from nextwave_runtime.auth import Keyring
from nextwave_runtime.service import Job

from nextwave_channels.claiming import Desk
from nextwave_channels.dispatcher import Bell
from nextwave_channels.onsite.handing import CHANNEL, HandingOut
from nextwave_channels.onsite.pages import OpenPages
from nextwave_channels.onsite.routes import Porch, router
from nextwave_channels.settings import ChannelsSettings


@dataclass(frozen=True, slots=True)
class Onsite:
    """What the service serves and runs of it. `channel` is the one that pages come for."""

    channel: str
    hand_out: Job
    router: APIRouter


def make_onsite(settings: ChannelsSettings, desk: Desk, bell: Bell) -> Onsite:
    """Nothing runs yet."""
    handing = HandingOut(desk, bell, OpenPages(settings.pages.onsite_pages_max))
    porch = Porch(
        desk=desk,
        handing=handing,
        keyring=Keyring(settings.keys_file),
        identifier_key=settings.identifier_key.get_secret_value().encode(),
        ingest_url=settings.pages.onsite_ingest_url or settings.mail.ingest_url,
    )
    return Onsite(CHANNEL, handing.run, router(porch))
