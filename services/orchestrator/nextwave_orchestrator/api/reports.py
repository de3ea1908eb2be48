"""What campaigns cost and brought, how likely answers are, and how many candidates were decided how; every number with its meaning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
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
        booked = await _booked(database, asked, by, campaign=key)
        report = _report(current, booked, by)
        return _json({"campaign": key, **_span(asked), **report, "lift": lifts(booked), "definitions": DEFINITIONS})

    @router.get("/reports", summary="All campaigns together, divided by campaign, department, strategy, channel, ...")
    async def reports(asked: Annotated[Divided, Query()]) -> Response:
        by = _dimensions(asked.by or "campaign")
        booked = await _booked(database, asked, by)
        lift = {key: lifts(one) for key, one in by_campaign(booked).items()}
        return _json({**_span(asked), **_report(catalogue(), booked, by), "lift": lift, "definitions": DEFINITIONS})

    @router.get("/statistics", summary="Decisions counted by result, reason, campaign, wave, segment and channel")
    async def statistics(asked: Annotated[Span, Query()]) -> Response:
        async with database.transaction() as connection:
            booked = await ledger.read(connection, ledger.Asked(fact="candidate", since=asked.since, until=asked.until))
        return _json(_counted(booked))

    @router.get("/responses", summary="How likely a contact is answered, by segment, channel and local hour")
    async def responses(segment: str = "", channel: str = "") -> Response:
        return _json(_rates(catalogue(), segment, channel))

    return router


def _dimensions(written: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in written.split(",")))
    unknown = [name for name in names if name not in DIMENSIONS]
    if unknown or len(names) > DIMENSIONS_MAX:
        detail = f"{unknown[0]!r:.40} is no dimension" if unknown else f"{len(names)} dimensions"
        fix = f"{detail}; give up to {DIMENSIONS_MAX} of {', '.join(DIMENSIONS)}"
        raise Problem(422, "invalid-request", "the report cannot be divided so", errors=(FieldError(pointer="/query/by", detail=fix),))
    return names


async def _booked(database: Database, asked: Span, by: tuple[str, ...], campaign: str | None = None) -> Booked:
    if asked.since and asked.until and asked.since >= asked.until:
        wrong = FieldError(pointer="/query/until", detail="no day is in between; give a day after `since`")
        raise Problem(422, "invalid-request", "the span is empty", errors=(wrong,))
    wanted = ledger.Asked(campaign=campaign, since=asked.since, until=asked.until, by_day="day" in by)
    async with database.transaction() as connection:
        return await ledger.read(connection, wanted)


def _span(asked: Span) -> dict[str, Any]:
    return {"since": asked.since, "until": asked.until}


def _report(current: Catalogue, booked: Booked, by: tuple[str, ...]) -> dict[str, Any]:
    return {
        "currency": current.policy.currency,
        "total": numbers(booked),
        "by": by,
        "groups": groups(booked, by, origins_of(current)),
        "reasons": reasons(booked),
    }


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
