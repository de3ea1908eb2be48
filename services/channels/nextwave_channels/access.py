"""Who may call which route: asked before anything of the request is read, so that strangers learn nothing from refusals of its form."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from nextwave_runtime.auth import ROLES, Key, Keyring, Role

_bearer = HTTPBearer(auto_error=False, description="an API token; `nextwave keys` makes one")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def guarded(keyring: Keyring, prefix: str) -> APIRouter:
    """A router that answers 401 without a valid API token, even to a body that cannot be read (dependencies would come after it)."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            answer = super().get_route_handler()

            async def ask_first(request: Request) -> Response:
                request.state.require = partial(keyring.require, request.headers.get("authorization", ""))
                request.state.require()
                return await answer(request)

            return ask_first

    return APIRouter(prefix=prefix, route_class=Guarded)


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
