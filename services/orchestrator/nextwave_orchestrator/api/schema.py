"""The OpenAPI document, with the types that people write, so that a campaign can be checked in an editor before it is sent."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from nextwave_orchestrator.api.allowances import Capacity
from nextwave_orchestrator.api.house import Readiness
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Template

WRITTEN = {
    "/v1/campaigns/{key}": Campaign,
    "/v1/segments/{key}": Segment,
    "/v1/templates/{key}": Template,
    "/v1/policy": Policy,
    "/v1/readiness/{system}": Readiness,
    "/v1/capacity/{channel}": Capacity,
    "/v1/capacity/{channel}/{place}": Capacity,
}


def describe(app: FastAPI) -> None:
    """Makes `/openapi.json` tell the bodies of every PUT."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    references, schemas = msgspec.json.schema_components(WRITTEN.values(), ref_template="#/components/schemas/{name}")
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    for path, reference in zip(WRITTEN, references, strict=True):
        content = {"application/json": {"schema": reference}, "application/yaml": {"schema": reference}}
        document["paths"][path]["put"]["requestBody"] = {"required": True, "content": content}
    return document
