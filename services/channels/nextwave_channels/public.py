"""Routes that pages of any web site may call: no token, but a source's write key, which pages show to everybody."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from nextwave_runtime.auth import Keyring
from nextwave_runtime.problem import FieldError, Problem, response

BODY_MAX = 8192
ANYWHERE = {"access-control-allow-origin": "*"}
"""Every answer may be read by the page that asked: write keys are bound to no origin, and there are no cookies."""
Body = TypeVar("Body", bound=msgspec.Struct)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _Public(APIRoute):
    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()

        async def readable(request: Request) -> Response:
            try:
                answered = await answer(request)
            except Problem as problem:
                answered = response(problem)
            except RequestValidationError as wrong:
                fields = tuple(FieldError(pointer="/" + "/".join(map(str, e["loc"])), detail=str(e["msg"])) for e in wrong.errors()[:20])
                answered = response(Problem(422, "invalid-request", "the request does not fit the schema; see errors", errors=fields))
            answered.headers.update(ANYWHERE)
            return answered

        return readable


def public(prefix: str, *tags: str) -> APIRouter:
    """A router whose answers, problems included, may be read from any origin."""
    return APIRouter(prefix=prefix, route_class=_Public, tags=list(tags))


def source_of(keyring: Keyring, write_key: str) -> str:
    """The source that a write key belongs to. Raises a 401 `Problem`."""
    source = keyring.write_source(write_key)
    if source is None:
        raise Problem(401, "unauthenticated", "no source has this write key; `nextwave keys` makes one")
    return source


async def body_of(request: Request, kind: type[Body]) -> Body:
    """The JSON body, whatever content type the page says it is: as plain text it needs no question beforehand. Raises a `Problem`."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_MAX:
            raise Problem(413, "too-large", f"the body may have {BODY_MAX} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as wrong:
        what, _, path = str(wrong).partition(" - at `$")
        pointer = path.rstrip("`").replace(".", "/") or "/"
        raise Problem(
            422, "invalid-request", f"the body does not fit: {wrong}", errors=(FieldError(pointer=pointer, detail=what),)
        ) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Problem(400, "invalid-json", f"the body is no JSON: {wrong}") from wrong


def described(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The body's schema, for OpenAPI."""
    (schema,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(schema, parts)}}}}


def _inlined(node: Any, parts: dict[str, Any]) -> Any:
    """The schema without references, which would lead out of the place where it is put."""
    if isinstance(node, dict):
        return _inlined(parts[node["$ref"]], parts) if "$ref" in node else {name: _inlined(value, parts) for name, value in node.items()}
    return [_inlined(each, parts) for each in node] if isinstance(node, list) else node
