"""What an agent's desktop asks when a customer comes to us: one request, one row, one answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import HTTPBearer
from nextwave_contracts.actions import Channel
from nextwave_contracts.clock import Clock
from nextwave_runtime.auth import ROLES, Key, Keyring
from nextwave_runtime.problem import Problem
from starlette.responses import Response

from nextwave_orchestrator.catalogue import Catalogue
from nextwave_orchestrator.inbound.best import next_best_action
from nextwave_orchestrator.inbound.visit import Visit
from nextwave_orchestrator.state import CustomerState

MERGES_MAX = 16
"""Customers that became part of each other one after another, followed so far."""
Find = Callable[[str], Awaitable[CustomerState | None]]
_bearer = HTTPBearer(auto_error=False, description="an API token of any role; agents see names and addresses")


def inbound_router(find: Find, catalogue: Callable[[], Catalogue], clock: Clock, keyring: Keyring) -> APIRouter:
    """The route; `find` reads a customer's state."""

    def caller(request: Request, _: Annotated[Any, Depends(_bearer)]) -> None:
        request.state.key = keyring.require(request.headers.get("authorization", ""), *ROLES)

    router = APIRouter(prefix="/v1", tags=["service"], dependencies=[Depends(caller)])

    @router.get("/customers/{customer_id}/next-best-action", summary="Who this is, why they come, and what to do and offer")
    async def answer(
        request: Request,
        customer_id: str,
        channel: Annotated[Channel, Query(description="by which the customer came")] = "call",
        agent: Annotated[str, Query(max_length=120, description="who serves them; stands in what is recorded")] = "",
    ) -> Response:
        state = await followed(find, customer_id)
        by: Key = request.state.key
        visit = Visit(catalogue(), state, channel, clock.now(), agent, masked=not by.sees_addresses)
        return Response(msgspec.json.encode(next_best_action(visit)), media_type="application/json")

    return router


async def followed(find: Find, customer_id: str) -> CustomerState:
    """The customer, or whom they became part of. Raises a 404 `Problem`."""
    name = customer_id
    for _ in range(MERGES_MAX):
        state = await find(name)
        if state is None or (not state.absorbed_into and state.profile is None):
            break
        if not state.absorbed_into:
            return state
        name = state.absorbed_into
    raise Problem(
        404, "not-found", f"there is no customer {customer_id!r:.80}; scoring's GET /v1/customers?identifier=kind:value finds one"
    )
