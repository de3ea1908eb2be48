"""Query parameters that a route does not know are refused: a misspelt filter must not answer as if nothing had been asked."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from inspect import isclass

from fastapi import Request
from fastapi.dependencies.models import Dependant as Needed  # codespell:ignore dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from nextwave_runtime.problem import FieldError, Problem


def known_only(request: Request) -> None:
    """Refuses every query parameter that the route does not declare. Raises a 422 `Problem`."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = sorted(set(_names(route.dependant)))  # codespell:ignore dependant
    strange = sorted(set(request.query_params) - set(known))
    if strange:
        errors = tuple(
            FieldError(pointer=f"/query/{name}", detail=f"there is no such parameter here; {_fix(name, known)}") for name in strange
        )
        raise Problem(422, "invalid-request", "the request has unknown query parameters; see errors", errors=errors[:20])


def _fix(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"use {', '.join(known)}" if known else "leave it out: this route takes none"


def _names(needed: Needed) -> Iterator[str]:
    for parameter in needed.query_params:
        written = parameter.field_info.annotation
        if isclass(written) and issubclass(written, BaseModel):
            yield from written.model_fields
        else:
            yield parameter.alias
    for inner in needed.dependencies:
        yield from _names(inner)
