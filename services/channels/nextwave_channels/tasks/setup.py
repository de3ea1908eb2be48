"""Tasks put together. Nobody is called for a visit: account managers come for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from nextwave_runtime.auth import Keyring

from nextwave_channels.claiming import Desk
from nextwave_channels.settings import ChannelsSettings
from nextwave_channels.tasks.routes import router
from nextwave_channels.tasks.task import CHANNEL
from nextwave_channels.tasks.work import Team


@dataclass(frozen=True, slots=True)
class Tasks:
    """What the composition root takes. `channel` is the one that account managers come for."""

    channel: str
    router: APIRouter


def make_tasks(settings: ChannelsSettings, desk: Desk) -> Tasks:
    """Nothing runs: claims are made when somebody asks."""
    team = Team(desk, timedelta(days=settings.visits.visit_lease_days))
    return Tasks(CHANNEL, router(team, Keyring(settings.keys_file)))
