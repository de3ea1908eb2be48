"""What campaigns cost and brought, how likely answers are, and how many candidates were decided how; every number with its meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any, get_args

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import HTTPBearer
from nextwave_contracts.decisions import Result
from nextwave_runtime.auth import ROLES, Keyring
from nextwave_runtime.database import Database
from nextwave_runtime.problem import FieldError, Problem
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.reports import ledger
from nextwave_orchestrator.reports.numbers import (
    DEFINITIONS,
    DIMENSIONS,
    Booked,
    Origin,
    Origins,
    by_campaign,
    groups,
    lifts,
    numbers,
    reasons,
)

DIMENSIONS_MAX = 3
RATES_MAX = 1000
ROWS_MAX = 100_000
"""Sums that one report adds up."""
DAYS = 90
"""Divided by day, and not said since when, a report shows so many."""
_OF_VERSION: frozenset[str] = frozenset({"department", "strategy"})
"""Dimensions that a campaign's version tells."""
_bearer = HTTPBearer(auto_error=False, description="an API token of any role; `nextwave keys` makes one")


class Span(BaseModel):
    """Days (UTC) from `since` on and before `until`; what is left out restricts nothing."""

    model_config = ConfigDict(extra="forbid")
    since: date | None = Field(default=None, description="the first day")
    until: date | None = Field(default=None, description="the day after the last one")


class Divided(Span):
    """A span, and by what the report is divided."""

    by: str = Field(default="", max_length=100, description=f"up to {DIMENSIONS_MAX} of {', '.join(DIMENSIONS)}, with commas")


def reports_router(database: Database, keyring: Keyring, catalogue: Callable[[], Catalogue]) -> APIRouter:
    """The routes; every API role may read them."""

    def reader(request: Request, _: Annotated[Any, Depends(_bearer)]) -> None:
        keyring.require(request.headers.get("authorization", ""), *ROLES)

    router = APIRouter(prefix="/v1", tags=["reports"], dependencies=[Depends(reader)])

    @router.get("/campaigns/{key}/report", summary="A campaign's report, with its lift against the holdout")
    async def campaign_report(key: str, asked: Annotated[Divided, Query()]) -> Response:
        current = catalogue()
        if key not in current.states:
            raise Problem(404, "not-found", f"there is no published campaign {key!r:.80}")
        by = _dimensions(asked.by or "wave")
        span, booked = await _booked(database, asked, by, campaign=key)
        return await _json_of(lambda: {"campaign": key, **span, **_report(current, booked, by), "lift": lifts(booked)})

    @router.get("/reports", summary="All campaigns together, divided by campaign, department, strategy, channel, ...")
    async def reports(asked: Annotated[Divided, Query()]) -> Response:
        current, by = catalogue(), _dimensions(asked.by or "campaign")
        span, booked = await _booked(database, asked, by)
        return await _json_of(lambda: {**span, **_report(current, booked, by), "lift": _lifts(booked)})

    @router.get("/statistics", summary="Decisions counted by result, reason, campaign, wave, segment and channel")
    async def statistics(asked: Annotated[Span, Query()]) -> Response:
        _, booked = await _booked(database, asked, ("wave", "segment", "channel"), fact="candidate")
        return await _json_of(lambda: _counted(booked))

    @router.get("/responses", summary="How likely a contact is answered, by segment, channel and local hour")
    async def responses(segment: str = "", channel: str = "") -> Response:
        return _json(_rates(catalogue(), segment, channel))

    return router


def _dimensions(written: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in written.split(",")))
    unknown = [name for name in names if name not in DIMENSIONS]
    if unknown or len(names) > DIMENSIONS_MAX:
        detail = f"{unknown[0]!r:.40} is no dimension" if unknown else f"{len(names)} dimensions"
        raise _refused("the report cannot be divided so", "/query/by", f"{detail}; give up to {DIMENSIONS_MAX} of {', '.join(DIMENSIONS)}")
    return names


async def _booked(
    database: Database, asked: Span, by: tuple[str, ...], campaign: str | None = None, fact: str | None = None
) -> tuple[dict[str, date | None], Booked]:
    """The span and what was booked in it. Raises a 422 `Problem` for a span without days, and for more than can be added up."""
    since, until = asked.since, asked.until
    if since and until and since >= until:
        raise _refused("the span is empty", "/query/until", "no day is in between; give a day after `since`")
    async with database.transaction() as connection:
        if "day" in by and since is None:
            since = _days_before(until, await ledger.newest_day(connection, campaign))
        divided = frozenset("version" if name in _OF_VERSION else name for name in by)
        wanted = ledger.Asked(campaign=campaign, fact=fact, since=since, until=until, by=divided, most=ROWS_MAX + 1)
        booked = await ledger.read(connection, wanted)
    if len(booked) > ROWS_MAX:
        fix = f"more than {ROWS_MAX} sums; give a later `since` or an earlier `until`, divide by less, or ask for one campaign"
        raise _refused("the report is too large", "/query/since", fix)
    return {"since": since, "until": until}, booked


def _days_before(until: date | None, newest: date | None) -> date | None:
    """The first of the days that a report divided by day shows where nobody says since when."""
    last = until - timedelta(days=1) if until else newest
    return last - timedelta(days=DAYS - 1) if last else None


def _refused(title: str, pointer: str, fix: str) -> Problem:
    return Problem(422, "invalid-request", title, errors=(FieldError(pointer=pointer, detail=fix),))


def _report(current: Catalogue, booked: Booked, by: tuple[str, ...]) -> dict[str, Any]:
    return {
        "currency": current.policy.currency,
        "total": numbers(booked),
        "by": by,
        "groups": groups(booked, by, origins_of(current)),
        "reasons": reasons(booked),
        "definitions": DEFINITIONS,
    }


def _lifts(booked: Booked) -> dict[str, Any]:
    return {key: lifts(one) for key, one in by_campaign(booked).items()}


def origins_of(current: Catalogue) -> Origins:
    """The department and strategy of every version."""
    return {key: Origin(campaign.definition.owner, campaign.definition.strategy) for key, campaign in current.campaigns.items()}


def _counted(booked: Booked) -> dict[str, Any]:
    """The versions of a campaign together."""
    found: dict[tuple[str, ...], int] = {}
    for entry, sums in booked:
        result, _, reason = entry.code.partition("/")
        key = (entry.campaign, entry.wave, entry.segment, entry.channel, result, reason)
        found[key] = found.get(key, 0) + sums.times
    results = dict.fromkeys(get_args(Result), 0)
    for (*_, result, _), count in found.items():
        results[result] += count
    names = ("campaign", "wave", "segment", "channel", "result", "reason")
    shown = [dict(zip(names, key, strict=True)) | {"count": count} for key, count in sorted(found.items())]
    return {"candidates": sum(results.values()), "results": results, "groups": shown}


def _rates(current: Catalogue, segment: str, channel: str) -> dict[str, Any]:
    learned, priors = current.responses, current.policy.response_rates
    wanted = [cell for cell in learned.cells if segment in ("", cell.segment) and channel in ("", cell.channel)]
    most = sorted(wanted, key=lambda cell: (-learned.cells[cell].sent, cell))[:RATES_MAX]
    rates = [cell._asdict() | msgspec.structs.asdict(learned.rate(*cell, priors.get(cell.channel, 0.0))) for cell in sorted(most)]
    return {
        "strength": learned.strength,
        "half_life": current.policy.response_half_life,
        "priors": priors,
        "channels": {name: seen._asdict() for name, seen in sorted(learned.channels.items())},
        "rates": rates,
        "more": len(wanted) > len(most),
    }


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")


async def _json_of(document: Callable[[], object]) -> Response:
    """Made beside the event loop, on which customers are decided too."""
    return await asyncio.to_thread(lambda: _json(document()))
