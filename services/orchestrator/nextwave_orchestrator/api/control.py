"""What every route needs: the store, the clock, who is calling; and the body and preconditions of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from nextwave_contracts.clock import Clock
from nextwave_contracts.documents import LARGEST, read_document
from nextwave_contracts.faults import Fault
from nextwave_runtime.auth import Key, Keyring, Role
from nextwave_runtime.problem import Problem
from nextwave_runtime.written import etag, refused
from starlette.responses import Response

from nextwave_orchestrator.campaigns.checks import KEY, KEY_FIX
from nextwave_orchestrator.campaigns.lifecycle import Limits
from nextwave_orchestrator.catalogue import Predicate
from nextwave_orchestrator.catalogue_store import CatalogueStore
from nextwave_orchestrator.durations import FIRST_INSTANT, LAST_INSTANT

Sizes = Callable[[Predicate], Awaitable[int]]
"""About how many customers a rule holds for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Given to the app as `app.state.control`."""

    store: CatalogueStore
    clock: Clock
    keyring: Keyring
    limits: Limits
    sizes: Sizes | None = None
    """Counts an audience before it is published; None where nobody does."""


def control(request: Request) -> Control:
    """The app's control."""
    found = request.app.state.control
    assert isinstance(found, Control)
    return found


Controlled = Annotated[Control, Depends(control)]
_bearer = HTTPBearer(auto_error=False, description="an API token; `nextwave keys` makes one")


def needs(*roles: Role) -> Callable[..., Key]:
    """A dependency: the caller's key, which must have one of `roles`."""

    def caller(request: Request, given: Controlled, _: Annotated[Any, Depends(_bearer)]) -> Key:
        return given.keyring.require(request.headers.get("authorization", ""), *roles)

    return caller


READERS: tuple[Role, ...] = ("viewer", "editor", "approver", "operator", "agent")
Reader = Annotated[Key, Depends(needs(*READERS))]
Editor = Annotated[Key, Depends(needs("editor", "approver"))]
Approver = Annotated[Key, Depends(needs("approver"))]
Operator = Annotated[Key, Depends(needs("operator"))]
Stopper = Annotated[Key, Depends(needs("editor", "approver", "operator"))]


async def document(request: Request) -> Any:
    """The body as plain values, read no further than the limit."""
    return read_document(await body_of(request, LARGEST), request.headers.get("content-type", ""))


async def body_of(request: Request, largest: int) -> bytes:
    """The body, read no further than `largest` bytes. Raises a 413 `Problem`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise Problem(413, "too-large", f"the body is larger than {largest // 1024} KB")
    return bytes(body)


def checked_key(key: str) -> str:
    """The key of a path. Raises a 422 `Problem`."""
    if not KEY.fullmatch(key):
        raise refused([Fault("/key", f"{key!r:.80} is no key", KEY_FIX)])
    return key


def instant_faults(instants: Iterable[tuple[str, datetime]]) -> Iterator[Fault]:
    """Of the instants at these places, those that cannot be compared with others."""
    for pointer, when in instants:
        if when.tzinfo is None:
            yield Fault(pointer, "an instant without a zone", "write for example 2026-11-22T08:00:00Z")
        elif not FIRST_INSTANT <= when <= LAST_INSTANT:
            yield Fault(pointer, "an instant of no time that can be tried", f"write one from {FIRST_INSTANT.year} to {LAST_INSTANT.year}")


def answer(body: bytes, *, status: int = 200, revision: int | None = None) -> Response:
    """A JSON answer, with its entity tag."""
    headers = {} if revision is None else {"etag": etag(revision)}
    return Response(body, status_code=status, media_type="application/json", headers=headers)
