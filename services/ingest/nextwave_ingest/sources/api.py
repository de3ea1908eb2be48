"""The routes of sources: how each of them is, and what its keys may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.security import HTTPBearer
from nextwave_contracts.reasons import IgnoreCode, RejectCode
from nextwave_contracts.sources import Noted
from nextwave_runtime.auth import Keyring, Role
from nextwave_runtime.parameters import known_only
from nextwave_runtime.problem import Problem
from pydantic import BaseModel

from nextwave_ingest.sources.board import SourceSum
from nextwave_ingest.sources.distances import quantile
from nextwave_ingest.sources.telling import Telling

READERS: tuple[Role, ...] = ("viewer", "editor", "approver", "operator")
_bearer = HTTPBearer(auto_error=False, description="an API token; `nextwave keys` makes one")


class RefusedItem(BaseModel):
    """An item that was refused: when, at which door, and what to mend."""

    at: datetime
    door: str
    reason: RejectCode
    pointer: str
    detail: str


class NotedOften(BaseModel):
    """The same thing, noted so many times and last at this instant: at which door, and what to mend."""

    at: datetime
    door: str
    reason: str
    pointer: str
    detail: str
    times: int


class Items(BaseModel):
    """What became of its items. `ignored`: there is nothing to report of them; `warned`: taken, and perhaps meant otherwise."""

    last_seen_at: datetime | None
    accepted: int
    ignored: int
    ignored_for: dict[IgnoreCode, int]
    rejected: dict[RejectCode, int]
    warned: int


class AtDoor(Items):
    """At one door, or by one mapping: `inbound/<mapping>`."""

    door: str


class Clocks(BaseModel):
    """How far its clock was from the reception, in seconds either way, right within an eighth; `ahead`: requests from the future."""

    requests: int
    median_seconds: float
    p95_seconds: float
    ahead: int


class AllowedRate(BaseModel):
    """Items per second and at once that each replica takes."""

    per_second: float
    burst: int


class Source(Items):
    """A source, as all replicas know it since `since`; an empty list of what is allowed means anything."""

    source: str
    has_key: bool
    types: list[str]
    origins: list[str]
    rate: AllowedRate | None
    since: datetime | None
    turned_away: int
    turned_away_for: dict[str, int]
    clocks: Clocks | None
    doors: list[AtDoor]
    recent_refusals: list[RefusedItem]
    recently_ignored: list[NotedOften]
    recent_warnings: list[NotedOften]
    recently_turned_away: list[NotedOften]


class Sources(BaseModel):
    """All sources, by name."""

    items: list[Source]


def sources_router(keyring: Keyring, telling: Telling) -> APIRouter:
    """The routes."""
    readers = [Depends(_needs(keyring, *READERS)), Depends(known_only)]
    router = APIRouter(tags=["sources"], dependencies=readers)

    @router.get("/v1/sources")
    async def list_sources() -> Sources:
        """Every source that has a write key or was heard of, and why its last refused items were refused."""
        sums = telling.board.sums(telling.now())
        return Sources(items=[_source(name, keyring, sums.get(name)) for name in sorted({*keyring.write_sources(), *sums})])

    @router.get("/v1/sources/{source}")
    async def show_source(source: Annotated[str, Path(max_length=200)]) -> Source:
        """One source."""
        summed = telling.board.sums(telling.now()).get(source)
        if summed is None and keyring.source(source) is None:
            raise Problem(404, "unknown-source", f"no source {source!r:.80} has a write key or was heard of; GET /v1/sources lists them")
        return _source(source, keyring, summed)

    return router


def _needs(keyring: Keyring, *roles: Role) -> Callable[..., None]:
    def ask(request: Request, _: Annotated[Any, Depends(_bearer)]) -> None:
        keyring.require(request.headers.get("authorization", ""), *roles)

    return ask


def _source(name: str, keyring: Keyring, summed: SourceSum | None) -> Source:
    key, total = keyring.source(name), summed or SourceSum()
    doors = [AtDoor(door=door, **_items(one)) for door, one in sorted(total.doors.items())]
    rejected: Counter[RejectCode] = Counter()
    ignored_for: Counter[IgnoreCode] = Counter()
    for door in doors:
        rejected.update(door.rejected)
        ignored_for.update(door.ignored_for)
    return Source(
        source=name,
        has_key=key is not None,
        types=list(key.types) if key else [],
        origins=list(key.origins) if key else [],
        rate=AllowedRate(per_second=key.rate.per_second, burst=key.rate.burst) if key and key.rate else None,
        since=total.since,
        last_seen_at=max((door.last_seen_at for door in doors if door.last_seen_at), default=None),
        accepted=sum(door.accepted for door in doors),
        ignored=sum(door.ignored for door in doors),
        ignored_for=ignored_for,
        rejected=rejected,
        warned=sum(door.warned for door in doors),
        turned_away=total.turned_away,
        turned_away_for=total.turned_away_for,
        clocks=_clocks(total),
        doors=doors,
        recent_refusals=[RefusedItem.model_validate(one, from_attributes=True) for one in total.refusals],
        recently_ignored=_noted(total.ignored_last),
        recent_warnings=_noted(total.warned_last),
        recently_turned_away=_noted(total.turned_away_last),
    )


def _noted(notes: list[Noted]) -> list[NotedOften]:
    return [NotedOften.model_validate(one, from_attributes=True) for one in notes]


def _items(door: Any) -> dict[str, Any]:
    return {name: getattr(door, name) for name in Items.model_fields}


def _clocks(total: SourceSum) -> Clocks | None:
    median, p95 = quantile(total.distances, 0.5), quantile(total.distances, 0.95)
    if median is None or p95 is None:
        return None
    return Clocks(requests=total.distances.total(), median_seconds=median, p95_seconds=p95, ahead=total.ahead)
