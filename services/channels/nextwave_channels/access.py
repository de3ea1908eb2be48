"""Who may call which route: asked before anything of the request is read, so that strangers learn nothing from refusals of its form."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from nextwave_runtime.auth import ROLES, Key, Keyring, Role
from nextwave_runtime.parameters import known_only
from nextwave_runtime.problem import Problem
from starlette.types import Message, Receive

BODY_MAX = 4_194_304
"""Bytes of a request: as much as a file of suppressions may have."""
_bearer = HTTPBearer(auto_error=False, description="an API token; `nextwave keys` makes one")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def guarded(keyring: Keyring, prefix: str) -> APIRouter:
    """A router that answers 401 without a valid API token, even to a body that cannot be read (dependencies would come after it).

    With one, parameters that the route does not know are refused.
    """

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            answer = super().get_route_handler()

            async def ask_first(request: Request) -> Response:
                request.state.require = partial(keyring.require, request.headers.get("authorization", ""))
                request.state.require()
                return await answer(Request(request.scope, await _read(request)))

            return ask_first

    return APIRouter(prefix=prefix, route_class=Guarded, dependencies=[Depends(known_only)])


async def _read(request: Request) -> Receive:
    """The request's body, read; raises a 413 `Problem` as soon as it is too large: nobody's file fills the memory."""
    parts: list[Message] = []
    size = int(request.headers.get("content-length") or 0)
    while size <= BODY_MAX and (not parts or parts[-1].get("more_body", False)):
        parts.append(await request.receive())
        size = max(size, sum(len(part.get("body", b"")) for part in parts))
    if size > BODY_MAX:
        raise Problem(413, "too-large", f"a body has at most {BODY_MAX} bytes; send it in parts")
    again = iter(parts)

    async def receive() -> Message:
        return next(again, None) or await request.receive()

    return receive


def needs(*roles: Role | str) -> Callable[..., Key]:
    """A dependency for routes of a guarded router: the caller's key, which must have one of `roles` (otherwise a 403 `Problem`)."""

    def caller(request: Request, _: Annotated[Any, Depends(_bearer)]) -> Key:
        key: Key = request.state.require(*roles)
        return key

    return caller


READS = [Depends(needs(*ROLES))]
READS_SUPPRESSIONS = [Depends(needs("viewer", "operator", "privacy"))]
Reader = Annotated[Key, Depends(needs(*ROLES))]
Agent = Annotated[Key, Depends(needs("agent"))]
Operator = Annotated[Key, Depends(needs("operator"))]
Suppressor = Annotated[Key, Depends(needs("operator", "privacy"))]
