"""Call lists over HTTP: for diallers and agents who come for calls, and for operations, who say what agents can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from nextwave_runtime.auth import Keyring
from nextwave_runtime.problem import FieldError, Problem

from nextwave_channels.access import READS, Agent, Operator, Reader, guarded
from nextwave_channels.call_lists import shapes, table, work
from nextwave_channels.call_lists.entry import Report
from nextwave_channels.call_lists.limits import WINDOW
from nextwave_channels.call_lists.predictive import Capacity
from nextwave_channels.call_lists.shapes import (
    CapacityNow,
    Entries,
    Extended,
    Extension,
    Name,
    Overview,
    Pull,
    RecordedRows,
    Reports,
    Retraction,
    Retractions,
    Rows,
    Said,
)
from nextwave_channels.call_lists.ways import Ways
from nextwave_channels.call_lists.work import HandedOut, Over
from nextwave_channels.claiming import Desk
from nextwave_channels.pacing import Pace

Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[str, Query(max_length=256, pattern=r"^[^\x00]*$", description="the last entry_id of the page before")]
RETRACTIONS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What the API works with: the desk of those who pull; a call is handed out at most `fresh_seconds` after its claim began."""

    desk: Desk
    ways: Ways
    keyring: Keyring
    fresh_seconds: float = Pace(concurrency=1).fresh_seconds


def router(floor: Floor) -> APIRouter:
    """`/v1/call-lists` and `/v1/capacity`."""
    routes = guarded(floor.keyring, "/v1")
    _working_routes(routes, floor)
    _looking_routes(routes, floor)
    _capacity_routes(routes, floor)
    return routes


def _working_routes(routes: APIRouter, floor: Floor) -> None:
    desk = floor.desk

    @routes.post("/call-lists/{name}:pull", tags=["call lists"])
    async def pull_calls(name: Name, wanted: Pull, key: Agent) -> Entries:
        """Come for calls: each is yours until its lease ends, and nobody else's ever again unless you report `not_called`."""
        way = floor.ways.of(name)
        if way != "pull":
            detail = f'calls of list {name!r} leave by {way}; set NEXTWAVE_CALL_LISTS to {{"{name}": "pull"}} to pull them'
            raise Problem(409, "not-pulled", detail)
        pace = Pace(concurrency=1, lease_seconds=wanted.lease_seconds, fresh_seconds=floor.fresh_seconds)
        found = await work.pull(desk, name, wanted.limit, pace, key.name)
        return Entries(entries=[shapes.entry(one, wanted.lease_seconds) for one in found])

    @routes.post("/call-lists/{name}:report", tags=["call lists"])
    async def report_calls(name: Name, said: Reports, key: Agent) -> RecordedRows:
        """Say what came of calls that are in your hands, in any order and as often as you like."""
        done = [await work.report(desk, name, Report(**one.model_dump()), key.name) for one in said.reports]
        _refuse("reports", [one.refused for one in done])
        return RecordedRows(recorded=[shapes.recorded(one) for one in done])

    @routes.post("/call-lists/{name}:extend", tags=["call lists"])
    async def extend_leases(name: Name, wanted: Extension, key: Agent) -> Extended:
        """Keep entries for longer; those that are `over` must not be called."""
        done = [await work.extend(desk, name, (one.entry_id, one.attempt), wanted.lease_seconds, key.name) for one in wanted.entries]
        _refuse("entries", [one.refused if isinstance(one, Over) else "" for one in done])
        kept = [shapes.entry(one, wanted.lease_seconds) for one in done if isinstance(one, HandedOut)]
        return Extended(kept=kept, over=[one.entry_id for one in done if isinstance(one, Over)])

    @routes.get("/call-lists/{name}/retractions", tags=["call lists"])
    async def list_retractions(name: Name, _: Agent) -> Retractions:
        """What was handed out and must not be called any more."""
        async with desk.database.transaction() as connection:
            found = await table.handed_out(connection, name, "", RETRACTIONS_MAX, retracted=True)
        return Retractions(
            retractions=[Retraction(entry_id=d.contact.action_id, attempt=d.attempt, reason=d.withdrawn_reason) for d, _ in found]
        )


def _refuse(field: str, refused: list[str]) -> None:
    """A 409 that names what was not taken."""
    errors = tuple(FieldError(pointer=f"/body/{field}/{n}/entry_id", detail=why) for n, why in enumerate(refused) if why)
    if errors:
        detail = f"these {field} were not taken, but for a stop beside them; all others were: leave these out and send the rest again"
        raise Problem(409, "not-in-your-hands", detail, errors=errors)


def _looking_routes(routes: APIRouter, floor: Floor) -> None:
    desk = floor.desk

    @routes.get("/call-lists/{name}", tags=["call lists"], dependencies=READS)
    async def read_call_list(name: Name) -> Overview:
        """How a list stands."""
        async with desk.database.transaction() as connection:
            states = await table.counts(connection, name, desk.clock.now() - WINDOW)
        return Overview(list=name, way=floor.ways.of(name), states=states, capacity=await _capacity(desk, name))

    @routes.get("/call-lists/{name}/entries", tags=["call lists"])
    async def list_entries(
        name: Name, key: Reader, state: Literal["queued", "handed_out"] = "handed_out", after: After = "", limit: Limit = 50
    ) -> Rows:
        """What waits, or what is in somebody's hands: there a dialler that lost an answer finds its calls again."""
        async with desk.database.transaction() as connection:
            if state == "queued":
                found = [(one, "") for one in await table.queued(connection, name, after, limit)]
            else:
                found = await table.handed_out(connection, name, after, limit)
        sees_all = "privacy" in key.roles
        return Rows(entries=[shapes.row(one, opened=sees_all or ("agent" in key.roles and holder == key.name)) for one, holder in found])


def _capacity_routes(routes: APIRouter, floor: Floor) -> None:
    desk = floor.desk

    @routes.get("/capacity/{name}", tags=["call lists"], dependencies=READS)
    async def read_capacity(name: Name) -> CapacityNow:
        """What a list's agents can take, and what that allows now."""
        found = await _capacity(desk, name)
        if found is None:
            raise Problem(404, "not-found", f"list {name!r} has no capacity: all that is due may leave")
        return found

    @routes.put("/capacity/{name}", tags=["call lists"])
    async def put_capacity(name: Name, said: Said, key: Operator) -> CapacityNow:
        """Say how many agents are on a list; it acts at the next claim, in every replica."""
        async with desk.database.transaction() as connection:
            await table.put_capacity(connection, name, Capacity(**said.model_dump()), key.name, desk.clock.now())
        found = await _capacity(desk, name)
        assert found is not None
        return found

    @routes.delete("/capacity/{name}", tags=["call lists"], status_code=204)
    async def drop_capacity(name: Name, _: Operator) -> Response:
        """Lift a list's limit."""
        async with desk.database.transaction() as connection:
            if not await table.drop_capacity(connection, name):
                raise Problem(404, "not-found", f"list {name!r} has no capacity")
        return Response(status_code=204)


async def _capacity(desk: Desk, name: str) -> CapacityNow | None:
    async with desk.database.transaction() as connection:
        said = (await table.capacities(connection)).get(name)
        if said is None:
            return None
        now = desk.clock.now()
        under_way, seen = await table.open_calls(connection, name, said, now), await table.seen(connection, name, now)
    return shapes.capacity_now(name, said, seen, under_way)
