"""The routes of an application, for tests that hold a table against all of them."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, FastAPI
from starlette.routing import Route


def routes(router: APIRouter | FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of each route, without those that only say what others are (HEAD, OPTIONS)."""
    for one in router.routes:
        if isinstance(one, Route):
            yield from ((method, one.path) for method in (one.methods or ()) if method not in {"HEAD", "OPTIONS"})
        else:
            yield from routes(one.original_router)  # type: ignore[attr-defined]
