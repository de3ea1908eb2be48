"""The rare routes of ingest, and the OpenAPI document of all of them, the hot ones included."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header
from nextwave_runtime import problem, written
from nextwave_runtime.auth import Keyring
from pydantic import BaseModel

from nextwave_ingest.admission import ITEMS_MAX
from nextwave_ingest.doors.posthog import FLAGS, ROUTES
from nextwave_ingest.doors.segment import BATCHES, JITSU, KINDS, REJECTED_MAX
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
        document["paths"] = {**_DOOR_PATHS, **document["paths"]}
        mappings.describe(document)
        return document

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    return api


def _operation(summary: str, success: str) -> dict[str, Any]:
    refusals = {
        "400": "what is wrong, by field",
        "401": "unknown write key",
        "429": "overloaded, Retry-After",
        "503": "not durable, Retry-After",
    }
    return {
        "summary": summary,
        "responses": {success: {"description": "durable"}, **{status: {"description": text} for status, text in refusals.items()}},
    }


def _link(summary: str, success: str, **more: str) -> dict[str, Any]:
    """A link's operation. People follow links, so whatever is wrong is said on a page."""
    told = {success: "as asked", "404": "the token is none of ours, or leads nowhere; a page says so"} | more
    return {
        "summary": summary,
        "parameters": [{"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {status: {"description": text} for status, text in told.items()},
    }


_NOT_YET = "not durable; a page says so, with the button again, and Retry-After"


def _posting(summary: str, success: str) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"post": {**_operation(summary, success), "requestBody": body}}


def _segment_batch() -> dict[str, Any]:
    path = _posting(f"Segment protocol: a batch of at most {ITEMS_MAX} calls", "200")
    told = {"index": {"type": "integer"}, "pointer": {"type": "string"}, "detail": {"type": "string"}}
    rejected = {"type": "array", "maxItems": REJECTED_MAX, "items": {"type": "object", "properties": told, "required": list(told)}}
    fields = {"success": {"type": "boolean"}, "rejected_count": {"type": "integer"}, "rejected": rejected}
    path["post"]["responses"]["200"] = {
        "description": f"durable; where calls were refused, how many and what was wrong with the first {REJECTED_MAX}",
        "content": {"application/json": {"schema": {"type": "object", "properties": fields, "required": ["success"]}}},
    }
    return path


_DOOR_PATHS: dict[str, Any] = {
    **{f"/v1/{route}": _posting(f"Segment protocol: one {kind} call", "200") for route, kind in KINDS.items()},
    **{f"/v1/{route}": _segment_batch() for route in BATCHES},
    **{f"{place}{kind}": _posting(f"Jitsu: one {kind} call", "200") for place in JITSU for kind in dict.fromkeys(KINDS.values())},
    **{f"{route}/": _posting("PostHog: a batch, a list of events, or one event", "200") for route in ROUTES},
    **{f"{route}/": {"post": {"summary": "PostHog: no feature flags", "responses": {"200": {"description": "none"}}}} for route in FLAGS},
    "/v1/touchpoints": _posting(f"CloudEvents 1.0: binary, structured or batch mode (at most {ITEMS_MAX} events)", "202"),
    "/v1/calls": _posting("CloudEvents 1.0 of a call centre (call.*)", "202"),
    "/u/{token}": {
        "get": _link("The page that asks whether to unsubscribe", "200"),
        "post": _link("Unsubscribe (RFC 8058)", "200", **{"429": _NOT_YET, "503": _NOT_YET}),
    },
    "/r/{token}": {"get": _link("Record a click and lead to its target", "302")},
    "/o/{token}": {"get": _link("Record an open and show a pixel", "200")},
}
