"""The rare routes of ingest, and the OpenAPI document of all of them, the hot ones included."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header
from nextwave_runtime import problem, written
from nextwave_runtime.auth import Keyring
from pydantic import BaseModel

from nextwave_ingest import door_document
from nextwave_ingest.mappings import api as mappings
from nextwave_ingest.mappings.desk import Desk
from nextwave_ingest.sources import SourceBook

READERS = ("viewer", "editor", "approver", "operator")


class RefusedItem(BaseModel):
    """An item that was refused: when, at which door, and what to mend."""

    at: datetime
    door: str
    reason: str
    pointer: str
    detail: str


class Source(BaseModel):
    """What a source sent since this replica started."""

    source: str
    admitted: int
    refused: int
    last_at: datetime | None
    recent_refusals: list[RefusedItem]


def create_api(keyring: Keyring, book: SourceBook, desk: Desk, *routers: APIRouter) -> FastAPI:
    """The FastAPI application behind the doors."""
    api = FastAPI(title="Nextwave ingest", version="1", description="Where touchpoints come in. 2xx means durable.")
    problem.install(api)
    written.install(api)
    api.state.desk = desk
    for router in (mappings.router, *routers):
        api.include_router(router)

    @api.get("/v1/sources")
    async def list_sources(authorization: Annotated[str, Header()] = "") -> list[Source]:
        """Every source with a write key, and why its last refused items were refused."""
        keyring.require(authorization, *READERS)
        return [
            Source(
                source=name,
                admitted=tally.admitted,
                refused=tally.refused,
                last_at=tally.last_at,
                recent_refusals=[
                    RefusedItem(at=r.at, door=r.door, reason=r.reason, pointer=r.pointer, detail=r.detail) for r in reversed(tally.recent)
                ],
            )
            for name, tally in book.of(keyring.write_sources()).items()
        ]

    generated = api.openapi

    def openapi() -> dict[str, Any]:
        document = generated()
        mappings.describe(document)
        door_document.complete(document)
        return document

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    return api
