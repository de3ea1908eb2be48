"""How scoring's routes read ids and write answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from nextwave_contracts.wire import encode
from nextwave_runtime.problem import FieldError, Problem
from starlette.responses import Response


def json_response(body: Any) -> Response:
    """JSON of any values that messages may hold."""
    return Response(encode(body), media_type="application/json")


def wrong(pointer: str, detail: str) -> Problem:
    """A 422 that names the field."""
    return Problem(422, "invalid-request", detail, errors=(FieldError(pointer=pointer, detail=detail),))


def uuid_of(customer_id: str) -> str:
    """The normal form of a customer id. Raises a 404 `Problem`."""
    try:
        return str(UUID(customer_id))
    except ValueError as invalid:
        raise Problem(404, "not-found", "a customer id is a UUID; to look up an identifier use ?identifier=kind:value") from invalid
