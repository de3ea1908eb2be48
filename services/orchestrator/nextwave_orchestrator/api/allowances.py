"""What is left of a campaign's budget, and how much each channel can take: set by operations or a dialler, exact over all replicas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import msgspec
from fastapi import APIRouter, Request
from nextwave_contracts.actions import Channel
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import Fault, raise_any
from nextwave_runtime.problem import Problem
from starlette.responses import Response

from nextwave_orchestrator.allowances import budget_of, capacity_of
from nextwave_orchestrator.amounts import Used
from nextwave_orchestrator.api.control import Control, Controlled, Operator, Reader, answer, checked_key, document
from nextwave_orchestrator.durations import FIX, duration
from nextwave_orchestrator.live import policy_of

router = APIRouter()
PER_MAX = timedelta(days=7)
CONTACTS_MAX = 1_000_000_000


class Capacity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contacts per period, or agents that are free and how long one contact keeps one of them busy. Durations are `90s 15m 4h 5d`."""

    contacts: int | None = None
    per: str = ""
    agents: int | None = None
    handling: str = ""


@router.get("/v1/campaigns/{key}/budget", tags=["campaigns"])
async def get_budget(key: str, control: Controlled, _: Reader) -> Response:
    """What a campaign has spent and may still spend, minor units."""
    async with control.store.reading() as session:
        found = await session.allowances(budget_of(key), one=True)
        currency = (await policy_of(session)).currency
    if not found:
        raise Problem(404, "not-found", f"no campaign {key!r:.80} was ever published; a budget is in force from then on")
    return answer(msgspec.json.encode({"campaign": key, "amount": found[0].amount, "currency": currency} | _shown(found[0])))


@router.get("/v1/capacity", tags=["capacity"])
async def list_capacities(control: Controlled, _: Reader) -> Response:
    """Every capacity, and what of it is used in the running period."""
    async with control.store.reading() as session:
        found = await session.allowances(capacity_of(""))
    return answer(msgspec.json.encode({"items": [_capacity(one) for one in found]}))


@router.put("/v1/capacity/{channel}", tags=["capacity"])
async def put_channel_capacity(channel: str, request: Request, control: Controlled, by: Operator) -> Response:
    """Say how many contacts a channel can take; it acts at once."""
    return await _put(request, control, capacity_of(_channel(channel)), by.name)


@router.put("/v1/capacity/{channel}/{place}", tags=["capacity"])
async def put_list_capacity(channel: str, place: str, request: Request, control: Controlled, by: Operator) -> Response:
    """Say how many contacts one list or team of a channel can take; it acts at once."""
    return await _put(request, control, capacity_of(_channel(channel), checked_key(place)), by.name)


@router.delete("/v1/capacity/{channel}", tags=["capacity"])
async def drop_channel_capacity(channel: str, control: Controlled, _: Operator) -> Response:
    """Lift a channel's limit."""
    return await _drop(control, capacity_of(_channel(channel)))


@router.delete("/v1/capacity/{channel}/{place}", tags=["capacity"])
async def drop_list_capacity(channel: str, place: str, control: Controlled, _: Operator) -> Response:
    """Lift the limit of one list or team."""
    return await _drop(control, capacity_of(_channel(channel), checked_key(place)))


async def _put(request: Request, control: Control, scope: str, by: str) -> Response:
    contacts, per = contacts_per(read_as(await document(request), Capacity))
    async with control.store.changing() as session:
        await session.set_capacity(scope, contacts, per, by)
        (now,) = await session.allowances(scope, one=True)
    return answer(msgspec.json.encode(_capacity(now)))


async def _drop(control: Control, scope: str) -> Response:
    async with control.store.changing() as session:
        if not await session.drop_capacity(scope):
            raise Problem(404, "not-found", f"there is no limit of {scope.removeprefix('capacity/')!r:.80}")
    return Response(status_code=204)


def contacts_per(said: Capacity) -> tuple[int, timedelta]:
    """So many contacts per period: as said, or one for each agent in the time that a contact takes. Raises `FaultyError`."""
    by_agents = said.agents is not None or bool(said.handling)
    count, time = (said.agents, said.handling) if by_agents else (said.contacts, said.per)
    raise_any(list(_faults(said, by_agents=by_agents)))
    assert count is not None
    return count, duration(time)


def _faults(said: Capacity, *, by_agents: bool) -> Iterator[Fault]:
    if by_agents and (said.contacts is not None or said.per):
        yield Fault("/contacts", "contacts and agents are both given", "give contacts and per, or agents and handling")
    names, count = ("agents", "handling") if by_agents else ("contacts", "per"), said.agents if by_agents else said.contacts
    if count is None or not 0 <= count <= CONTACTS_MAX:
        yield Fault(f"/{names[0]}", f"{count} is no number of {names[0]}", f"write a whole number from 0 to {CONTACTS_MAX}")
    time = said.handling if by_agents else said.per
    try:
        if duration(time) > PER_MAX:
            yield Fault(f"/{names[1]}", f"{time} is too long", "write at most 7d")
    except ValueError as wrong:
        yield Fault(f"/{names[1]}", str(wrong).partition(":")[0], FIX)


def _channel(channel: str) -> str:
    if channel not in get_args(Channel):
        raise Problem(404, "not-found", f"there is no channel {channel!r:.80}; use one of {', '.join(get_args(Channel))}")
    return channel


def _capacity(used: Used) -> dict[str, Any]:
    channel, _, place = used.scope.removeprefix("capacity/").partition("/")
    shown = {"channel": channel, "list": place, "contacts": used.amount, "per_seconds": int(used.per.total_seconds())}
    return shown | {"by": used.changed_by, "since": used.changed_at} | _shown(used)


def _shown(used: Used) -> dict[str, Any]:
    """`reserved`: set aside for a partition and not spent yet, which any other that lacks it gets; None where nothing is limited."""
    limited = used.amount is not None
    held = sorted(used.holdings.items())
    partitions = [{"partition": n, "spent": one.spent, "reserved": one.left if limited else None} for n, one in held]
    reserved = sum(one.left for one in used.holdings.values()) if limited else None
    return {"spent": used.spent, "reserved": reserved, "left": used.left, "partitions": partitions}
