"""Errors that people and programs can act on: RFC 9457 problems with stable type names, rendered in one place."""

from __future__ import annotations

from difflib import get_close_matches
from http import HTTPStatus

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from nextwave_runtime.database import UNAVAILABLE, is_wrong_value

_log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
_ASKED_MAX = 200
"""Characters of a strange path that are looked at."""
_NEAR_MAX = 3
_NEAR = 0.75
"""How alike a route must be to have been meant (difflib's ratio)."""


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One wrong field: JSON pointer, what is wrong, and what to do."""

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818  (RFC 9457 calls it a problem)
    """An answer other than success. `kind` is the stable name in `urn:nextwave:problem:<kind>`."""

    def __init__(
        self, status: int, kind: str, detail: str, *, errors: tuple[FieldError, ...] = (), retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds

    def body(self) -> bytes:
        """The problem document."""
        document: dict[str, object] = {
            "type": f"urn:nextwave:problem:{self.kind}",
            "title": self.kind.replace("-", " "),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors
        return msgspec.json.encode(document)

    def headers(self) -> dict[str, str]:
        """Headers beside the content type."""
        headers = {} if self.retry_after_seconds is None else {"retry-after": str(self.retry_after_seconds)}
        return headers | {"www-authenticate": "Bearer"} if self.status == 401 else headers


class WrongMethodProblem(Problem):
    """405: the route has these methods (`GET, POST`), and no others."""

    def __init__(self, methods: str) -> None:
        super().__init__(405, "method-not-allowed", f"use {methods} here")
        self._methods = methods

    def headers(self) -> dict[str, str]:
        return {"allow": self._methods}


def install(app: FastAPI) -> None:
    """Renders problems, framework errors and request validation of a FastAPI app as RFC 9457."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    for kind in UNAVAILABLE:
        app.add_exception_handler(kind, _unavailable)


def response(problem: Problem) -> Response:
    """The problem as an HTTP response."""
    return Response(problem.body(), status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers())


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return response(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    kind = request.headers.get("content-type", "")
    if "json" not in kind and any(e["loc"] == ("body",) for e in error.errors()):
        fix = f"send the body as JSON and say so: Content-Type: application/json (this one says {kind[:80] or 'nothing'})"
        return response(Problem(415, "unknown-format", fix, errors=(FieldError(pointer="/body", detail=fix),)))
    errors = tuple(FieldError(pointer="/" + "/".join(str(p) for p in e["loc"]), detail=str(e["msg"])) for e in error.errors()[:20])
    return response(Problem(422, "invalid-request", "the request does not fit the schema; see errors", errors=errors))


async def _unavailable(_request: Request, error: Exception) -> Response:
    if is_wrong_value(error):
        return response(Problem(422, "invalid-request", "a value of this request cannot be looked up: leave control characters out"))
    _log.warning("database_unavailable", error=repr(error)[:300])
    return response(Problem(503, "unavailable", "a part that this answer needs is away; try again", retry_after_seconds=2))


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return response(Problem(404, "not-found", _where_else(request)))
    if error.status_code == 405 and error.headers:
        return response(WrongMethodProblem(error.headers["Allow"]))
    kind = {404: "not-found", 401: "unauthenticated"}.get(error.status_code, "http-error")
    return response(Problem(error.status_code, kind, str(error.detail)))


def _where_else(request: Request) -> str:
    """What to ask instead of a route that there is not."""
    asked, routes = request.url.path[:_ASKED_MAX].rstrip("/"), list(request.app.openapi()["paths"])
    near = get_close_matches(asked, routes, n=_NEAR_MAX, cutoff=_NEAR)
    meant = f"did you mean {', '.join(near)}? " if near else ""
    return f"there is no route {asked!r}; {meant}GET {request.app.openapi_url} has all of them"
