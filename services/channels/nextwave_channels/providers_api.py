"""What operators see of providers, and how they close and open one by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from nextwave_runtime.auth import Keyring
from nextwave_runtime.clock import WallClock
from nextwave_runtime.database import Database
from nextwave_runtime.problem import FieldError, Problem
from pydantic import BaseModel, ConfigDict, Field

from nextwave_channels import provider_store
from nextwave_channels.access import READS, Operator, guarded
from nextwave_channels.breaker import State
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.provider_store import Word
from nextwave_channels.rate import left
from nextwave_channels.tally import MINUTES


class ProviderRow(BaseModel):
    """A provider of a channel. `enabled`, `reason` and the rate hold for all replicas, the rest is what this replica sees."""

    channel: str
    provider: str
    enabled: bool
    reason: str
    changed_by: str
    changed_at: datetime | None
    breaker: State
    closed_seconds: float = Field(description="how long its breaker, or its own wish, still keeps it closed")
    slots: int
    in_flight: int
    rate_per_second: float | None
    rate_left: int | None = Field(description="how many the rate allows now; null where there is no limit")
    answers: dict[str, int] = Field(description=f"accepted, refused, put_off, down, uncertain: how many in the last {MINUTES} minutes")
    last_error: str
    last_error_at: datetime | None


class ProviderList(BaseModel):
    """Every provider, in the order of its use, as `replica` sees it."""

    replica: str
    providers: list[ProviderRow]


class ProviderSwitch(BaseModel):
    """Whether the provider may be used. A closed one needs a reason."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool
    reason: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What the routes work with. `outlets`: by the loop that claims for them."""

    database: Database
    clock: WallClock
    keyring: Keyring
    outlets: Mapping[str, Outlets]
    replica: str


def router(board: Board) -> APIRouter:
    """`GET /v1/providers` and `PUT /v1/providers/{channel}/{provider}`."""
    routes = guarded(board.keyring, "/v1/providers")

    @routes.get("", tags=["providers"], dependencies=READS)
    async def list_providers() -> ProviderList:
        async with board.database.transaction() as connection:
            words, wall = await provider_store.everything(connection)
        rows = [
            _row(outlets, outlet, words.get((outlets.channel, outlet.provider), Word()), wall)
            for outlets in board.outlets.values()
            for outlet in outlets.all.values()
        ]
        return ProviderList(replica=board.replica, providers=rows)

    @routes.put("/{channel}/{provider}", tags=["providers"])
    async def switch_provider(channel: str, provider: str, switch: ProviderSwitch, key: Operator) -> ProviderRow:
        outlets = next((its for its in board.outlets.values() if its.channel == channel and provider in its.all), None)
        if outlets is None:
            raise Problem(404, "not-found", f"{channel} has no provider {provider!r}; GET /v1/providers lists them")
        if not switch.enabled and not switch.reason.strip():
            error = FieldError(pointer="/reason", detail="say why it is closed; whoever wonders later reads it")
            raise Problem(422, "invalid-request", "a provider is not closed without a reason", errors=(error,))
        async with board.database.transaction() as connection:
            said = Word(enabled=switch.enabled, reason=switch.reason, changed_by=key.name, changed_at=board.clock.now())
            await provider_store.say(connection, (channel, provider), said)
            words, wall = await provider_store.everything(connection)
        return _row(outlets, outlets.all[provider], words[channel, provider], wall)

    return routes


def _row(outlets: Outlets, outlet: Outlet, word: Word, wall: float) -> ProviderRow:
    tally = outlet.tally
    return ProviderRow(
        channel=outlets.channel,
        provider=outlet.provider,
        enabled=word.enabled,
        reason=word.reason,
        changed_by=word.changed_by,
        changed_at=word.changed_at,
        breaker=outlets.state(outlet),
        closed_seconds=outlets.closed_seconds(outlet),
        slots=outlet.pace.concurrency,
        in_flight=len(outlet.under_way),
        rate_per_second=outlet.rate.per_second if outlet.rate else None,
        rate_left=left(outlet.rate, word.whole_at, wall) if outlet.rate else None,
        answers={str(kind): count for kind, count in tally.recent(wall).items()},
        last_error=tally.error,
        last_error_at=None if tally.error_at is None else datetime.fromtimestamp(tally.error_at, UTC),
    )
