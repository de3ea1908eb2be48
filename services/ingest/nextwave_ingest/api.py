"""The rare routes of ingest, and the OpenAPI document of all of them, the hot ones included."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from nextwave_runtime import problem, written

from nextwave_ingest import door_document
from nextwave_ingest.mappings import api as mappings
from nextwave_ingest.mappings.desk import Desk


def create_api(desk: Desk, *routers: APIRouter) -> FastAPI:
    """The FastAPI application behind the doors."""
    api = FastAPI(title="Nextwave ingest", version="1", description="Where touchpoints come in. 2xx means durable.")
    problem.install(api)
    written.install(api)
    api.state.desk = desk
    for router in (mappings.router, *routers):
        api.include_router(router)

    generated = api.openapi

    def openapi() -> dict[str, Any]:
        document = generated()
        mappings.describe(document)
        door_document.complete(document)
        return document

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    return api
