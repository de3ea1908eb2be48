"""Reading and writing one written document, the same for segments, templates, drafts and the policy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query, Request
from nextwave_contracts.documents import read_written
from nextwave_contracts.faults import Fault
from nextwave_runtime.auth import Key
from nextwave_runtime.problem import Problem
from nextwave_runtime.written import etag, require_match
from starlette.responses import Response

from nextwave_orchestrator.api.control import Control, answer, checked_key, document
from nextwave_orchestrator.catalogue_store import CatalogueSession, Kind

MOST_LISTED = 500
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="items of one page")]
Cursor = Annotated[str, Query(max_length=200, description="`next` of the page before")]

T = TypeVar("T")
Within = Callable[[CatalogueSession], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """A kind of document: how it is called, what type it is read as, how it is checked, and whether it holds its own key."""

    kind: Kind
    noun: str
    written: type[T]
    faults: Callable[[T], list[Fault]]
    keyed: bool = True
    changing: Callable[[Control, Key, T], Awaitable[Within]] | None = None
    """What else a change means: gathered before the catalogue is locked, then said or refused in the transaction, before it is written."""


def read(kind: Document[T], key: str, raw: Any) -> T:
    """The checked value; the key may be left out of the body. Raises `FaultyError`."""
    return read_written(raw, kind.written, kind.faults, key if kind.keyed else "")


async def save(request: Request, control: Control, by: Key, kind: Document[T], key: str) -> Response:
    """Writes it, when the preconditions hold; the same again changes nothing."""
    written = read(kind, checked_key(key), await document(request))
    body = msgspec.json.encode(written)
    within = await kind.changing(control, by, written) if kind.changing is not None else None
    async with control.store.changing() as session:
        stored = await session.document(kind.kind, key)
        require_match(request, None if stored is None else stored.revision)
        if stored is not None and stored.body == body:
            return answer(body, revision=stored.revision)
        if within is not None:
            await within(session)
        saved = await session.put(kind.kind, key, body, by.name)
    return answer(body, status=201 if stored is None else 200, revision=saved.revision)


async def show(request: Request, control: Control, kind: Document[T], key: str) -> Response:
    """One document. Raises a 404 `Problem`."""
    async with control.store.reading() as session:
        stored = await session.document(kind.kind, key)
    if stored is None:
        raise missing(kind.noun, key)
    return tagged(request, stored.body, stored.revision)


def tagged(request: Request, body: bytes, revision: int) -> Response:
    """A document with its entity tag; 304 where `If-None-Match` names it."""
    if etag(revision) in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": etag(revision)})
    return answer(body, revision=revision)


async def listing(control: Control, kind: Document[T], cursor: str, limit: int) -> Response:
    """A page in key order."""
    async with control.store.reading() as session:
        stored = await session.documents(kind.kind, after=cursor, limit=limit)
    return page([msgspec.Raw(s.body) for s in stored], [s.key for s in stored], limit)


def page(items: Sequence[object], places: Sequence[str], limit: int) -> Response:
    """A page of a list; `next` is the `cursor` of the following one, null when this may be the last."""
    return answer(msgspec.json.encode({"items": items, "next": places[-1] if len(places) == limit else None}))


def missing(noun: str, key: str) -> Problem:
    """The 404."""
    return Problem(404, "not-found", f"there is no {noun} {key!r:.80}")
