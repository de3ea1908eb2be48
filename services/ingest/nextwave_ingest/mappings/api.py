"""The routes of mappings: read, written as versions, retired, and tried on a sample."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import yaml
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.security import HTTPBearer
from nextwave_contracts.documents import read_as, read_document
from nextwave_contracts.faults import Fault, FaultyError
from nextwave_runtime.auth import Key, Role
from nextwave_runtime.parameters import known_only
from nextwave_runtime.written import YAML, etag
from starlette.responses import Response

from nextwave_ingest.mappings.desk import Desk, Facts, Sample, checked_name, missing
from nextwave_ingest.mappings.document import Document

READERS: tuple[Role, ...] = ("viewer", "editor", "approver", "operator")
EDITORS: tuple[Role, ...] = ("editor", "approver")
_UNSAVED = "this tries a mapping that is not saved: send {document, body} and, if it matters, content_type, headers and source"
router = APIRouter(tags=["mappings"])
_bearer = HTTPBearer(auto_error=False, description="an API token; `nextwave keys` makes one")


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping that is not saved, and what its platform would send. `body`: an object or list is JSON, a text is sent as it is."""

    document: dict[str, Any] | str
    body: dict[str, Any] | list[Any] | str
    content_type: str = ""
    headers: dict[str, str] = {}
    source: str = "try"


def desk(request: Request) -> Desk:
    """What the routes stand on."""
    found = request.app.state.desk
    assert isinstance(found, Desk)
    return found


Opened = Annotated[Desk, Depends(desk)]


def needs(*roles: Role, as_posted: bool = False) -> Callable[..., Key]:
    """A dependency: the caller's key, which must have one of `roles`. `as_posted`: a platform may have anything in its query."""

    def caller(request: Request, opened: Opened, _: Annotated[Any, Depends(_bearer)]) -> Key:
        key = opened.keyring.require(request.headers.get("authorization", ""), *roles)
        if not as_posted:
            known_only(request)
        return key

    return caller


Reader = Annotated[Key, Depends(needs(*READERS))]
Poster = Annotated[Key, Depends(needs(*READERS, as_posted=True))]
Editor = Annotated[Key, Depends(needs(*EDITORS))]
Source = Annotated[str, Query(max_length=200, description="the source that would have sent it")]


@router.get("/v1/mappings")
async def list_mappings(opened: Opened, _: Reader) -> Response:
    """Every mapping in force, shipped or written, and why one is left out."""
    return _answer(msgspec.json.encode({"items": opened.kept()}))


@router.get("/v1/mappings/{name}")
async def get_mapping(name: str, request: Request, opened: Opened, _: Reader) -> Response:
    """A mapping, as JSON or YAML."""
    return _shown(request, opened.document(name), opened.revision(name))


@router.get("/v1/mappings/{name}/versions")
async def list_versions(name: str, opened: Opened, _: Reader) -> Response:
    """What was written under this name, oldest first; nothing for one that is only shipped."""
    versions = [Facts(one.version, one.by, one.at, one.retired) for one in opened.versions(name)]
    return _answer(msgspec.json.encode({"items": versions}))


@router.get("/v1/mappings/{name}/versions/{version}")
async def get_version(name: str, version: Annotated[int, Path(ge=1)], request: Request, opened: Opened, _: Reader) -> Response:
    """A version as it was written, as JSON or YAML; it never changes."""
    found = [one for one in opened.versions(name) if one.version == version and not one.retired]
    if not found:
        raise missing(f"{name}, version {version}")
    return _shown(request, found[0].document.encode(), version)


@router.put("/v1/mappings/{name}")
async def put_mapping(name: str, request: Request, opened: Opened, by: Editor) -> Response:
    """Write a mapping, JSON or YAML: a new version, in force everywhere within a second."""
    is_new, document = await opened.save(checked_name(name), request, by)
    return _answer(document, status=201 if is_new else 200, revision=opened.revision(name))


@router.delete("/v1/mappings/{name}", status_code=204)
async def retire_mapping(name: str, request: Request, opened: Opened, by: Editor) -> Response:
    """Take a mapping out of force; one of this name that comes with the product is in force again."""
    await opened.retire(name, request, by)
    return Response(status_code=204)


@router.post("/v1/mappings:try")
async def try_document(request: Request, opened: Opened, _: Reader) -> Response:
    """What a mapping that is not saved would make of a body. Nothing is kept."""
    sent, media_type = await request.body(), request.headers.get("content-type", "")
    return _answer(await asyncio.to_thread(_tried, opened, sent, media_type))  # this process takes touchpoints meanwhile


@router.post("/v1/mappings/{name}:try")
async def try_mapping(name: str, request: Request, opened: Opened, _: Poster, source: Source = "try") -> Response:
    """What a mapping would make of this very request, sent as its platform would send it. Nothing is kept."""
    mapping = opened.in_force(name)
    sample = Sample(await request.body(), request.headers.get("content-type", ""), dict(request.headers.raw), source)
    return _answer(await asyncio.to_thread(lambda: msgspec.json.encode(opened.attempt(mapping, sample))))


def describe(openapi: dict[str, Any]) -> None:
    """Tells the bodies of these routes in the OpenAPI document, so that a mapping can be checked in an editor before it is sent."""
    (document, trial), schemas = msgspec.json.schema_components([Document, Trial], ref_template="#/components/schemas/{name}")
    openapi.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    bodies = {("/v1/mappings/{name}", "put"): document, ("/v1/mappings:try", "post"): trial, ("/v1/mappings/{name}:try", "post"): {}}
    for (path, method), schema in bodies.items():
        content = {"application/json": {"schema": schema}, "application/yaml": {"schema": schema}}
        openapi["paths"][path][method]["requestBody"] = {"required": True, "content": content}


def _tried(opened: Desk, sent: bytes, media_type: str) -> bytes:
    trial = _trial(read_document(sent, media_type))
    mapping = opened.proposed(trial.document)
    body = trial.body.encode() if isinstance(trial.body, str) else msgspec.json.encode(trial.body)
    headers = {name.lower().encode("latin-1", "replace"): value.encode("latin-1", "replace") for name, value in trial.headers.items()}
    return msgspec.json.encode(opened.attempt(mapping, Sample(body, trial.content_type, headers, trial.source)))


def _trial(written: Any) -> Trial:
    try:
        return read_as(written, Trial)
    except FaultyError as wrong:
        raise FaultyError([Fault(fault.pointer, fault.detail, _UNSAVED) for fault in wrong.faults]) from wrong


def _shown(request: Request, document: bytes, revision: int | None) -> Response:
    if "yaml" not in request.headers.get("accept", ""):
        return _answer(document, revision=revision)
    text = yaml.safe_dump(msgspec.json.decode(document), sort_keys=False, allow_unicode=True, width=120)
    return _answer(text.encode(), revision=revision, form=YAML)


def _answer(body: bytes, *, status: int = 200, revision: int | None = None, form: str = "") -> Response:
    headers = {"vary": "accept"} | ({} if revision is None else {"etag": etag(revision, form)})
    return Response(body, status_code=status, media_type=f"application/{form or 'json'}", headers=headers)
