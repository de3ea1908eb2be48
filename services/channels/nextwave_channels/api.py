"""What operators and owners see and do at the channels: deliveries, sums, and settling what is uncertain."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from nextwave_runtime.problem import Problem
from pydantic import BaseModel, ConfigDict, Field

from nextwave_channels import delivery as life
from nextwave_channels import listing, store
from nextwave_channels.access import READS, Operator, Reader, guarded
from nextwave_channels.delivery import Delivery, State
from nextwave_channels.office import Office
from nextwave_channels.suppressions import routes as suppressions

Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]


class DeliveryRow(BaseModel):
    """A delivery in a list: never with an address."""

    action_id: str
    customer_id: str
    campaign: str
    wave: str
    run_id: str
    channel: str
    purpose: str
    state: str
    due_at: datetime
    attempt: int
    detail: str
    received_at: datetime
    changed_at: datetime


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first; `cursor` leads to the next one."""

    deliveries: list[DeliveryRow]
    cursor: str | None


class StepRow(BaseModel):
    """One reported step of a delivery."""

    kind: str
    at: datetime
    detail: str


class DeliveryDetail(DeliveryRow):
    """One delivery. `address` is masked, and `text` left out, without the privacy role."""

    decision_id: str
    version: int
    segment: str
    template: str
    address: str
    text: str | None
    not_after: datetime
    cost: int
    currency: str
    provider: str
    provider_id: str
    steps: list[StepRow]


class Resolution(BaseModel):
    """What an operator found out about an `unknown` delivery."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["accepted", "delivered", "failed"]
    note: str = Field(default="", max_length=200)


class DeliveryCount(BaseModel):
    """How many deliveries are in a state."""

    channel: str
    campaign: str
    wave: str
    state: str
    count: int


class Statistics(BaseModel):
    """`deliveries`: how many are in each state now. `outcomes`: how many of each kind were ever reported."""

    deliveries: list[DeliveryCount]
    outcomes: dict[str, int]


def router(office: Office) -> APIRouter:
    """All of `/v1` but the callbacks."""
    routes = guarded(office.keyring, "/v1")
    _delivery_routes(routes, office)
    suppressions.add_routes(routes, office)

    @routes.get("/statistics", tags=["deliveries"], dependencies=READS)
    async def read_statistics(campaign: Text = None) -> Statistics:
        async with office.database.transaction() as connection:
            return Statistics.model_validate(await listing.sums(connection, campaign))

    return routes


def _delivery_routes(routes: APIRouter, office: Office) -> None:
    @routes.get("/deliveries", tags=["deliveries"], dependencies=READS)
    async def list_deliveries(
        customer: Text = None,
        campaign: Text = None,
        state: State | None = None,
        limit: Limit = 50,
        cursor: Text = None,
    ) -> DeliveryPage:
        wanted = listing.Wanted(customer=customer, campaign=campaign, state=state)
        async with office.database.transaction() as connection:
            rows, following = await listing.page(connection, wanted, cursor, limit)
        return DeliveryPage(deliveries=[DeliveryRow(**row) for row in rows], cursor=following)

    @routes.get("/deliveries/{action_id}", tags=["deliveries"])
    async def read_delivery(action_id: str, key: Reader) -> DeliveryDetail:
        return await _read(office, action_id, open_address="privacy" in key.roles)

    @routes.post("/deliveries/{action_id}:resolve", tags=["deliveries"])
    async def resolve_delivery(action_id: str, resolution: Resolution, key: Operator) -> DeliveryDetail:
        async with office.database.transaction() as connection:
            stored = await store.lock_one(connection, _named(action_id))
            if stored is None:
                raise _unknown(action_id)
            if stored.state != "unknown":
                raise Problem(409, "not-unknown", f"only an unknown delivery can be resolved, this one is {stored.state}")
            detail = f"resolved by {key.name}: {resolution.note}"
            step = life.learn(stored, resolution.state, office.clock.now(), detail=detail)
            await store.report(connection, [step] if step else [], office.partitions)
        return await _read(office, action_id, open_address="privacy" in key.roles)


async def _read(office: Office, action_id: str, *, open_address: bool) -> DeliveryDetail:
    async with office.database.transaction() as connection:
        row = await listing.one(connection, _named(action_id))
        stored = await store.find(connection, action_id)
    if row is None or stored is None:
        raise _unknown(action_id)
    return DeliveryDetail(**row, **_of_contact(stored, open_address=open_address))


def _of_contact(stored: Delivery, *, open_address: bool) -> dict[str, Any]:
    contact = stored.contact
    names = ("customer_id", "campaign", "wave", "run_id", "channel", "purpose", "decision_id", "version", "segment", "template")
    return {
        **{name: getattr(contact, name) for name in (*names, "not_after", "currency")},
        "provider": stored.provider,
        "cost": stored.costs,
        "address": contact.address if open_address else mask(contact.address),
        "text": contact.content.text if open_address else None,
    }


def mask(address: str) -> str:
    """Enough of an address to tell two apart on the phone: `a***@example.com`, `+1******00`."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    return f"{address[:2]}{'*' * max(3, len(address) - 4)}{address[-2:]}" if len(address) > 6 else "***"


def _named(action_id: str) -> str:
    if "\0" in action_id or len(action_id) > 256:
        raise _unknown("")
    return action_id


def _unknown(action_id: str) -> Problem:
    return Problem(404, "not-found", f"there is no delivery of action {action_id!r}")
