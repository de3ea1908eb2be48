"""How an HTTP provider answers under the fault menu: the same misbehaviour at every door, each in the provider's own words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import TypeVar

import msgspec
from nextwave_runtime.problem import FieldError, Problem
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from nextwave_local.simulator.connections import reset_peer
from nextwave_local.simulator.faults import Fault

JSON = "application/json"
LONGEST_SILENCE_SECONDS = 600.0
PIECES = 10
"""In so many pieces a slow body comes."""
Told = TypeVar("Told")


@dataclass(frozen=True)
class Refusal:
    """A provider's way of saying no: HTTP status, its own code, its words."""

    status: int
    code: int | str
    message: str


@dataclass(frozen=True)
class Manners:
    """What one provider's refusals look like. `render` gives a refusal its body; it gets the headers that go with it."""

    render: Callable[[Refusal, Mapping[str, str]], Response]
    permanent: Refusal
    temporary: Refusal
    throttled: Refusal
    unavailable: Refusal


async def answer(request: Request, fault: Fault | None, taken: Response, manners: Manners) -> Response:
    """The answer to a request that would get `taken` if all went well."""
    if fault is None:
        return taken
    match fault.kind:
        case "refuse" | "throttle" | "unavailable":
            return _refused(fault, manners)
        case "accept_then_reset" | "accept_then_timeout" | "half_open":
            await silence(0.0 if fault.kind == "accept_then_reset" else fault.seconds)
            _drop(request)
        case "slow_first_byte":
            await silence(fault.seconds)
        case "slow_body":
            return StreamingResponse(_slowly(bytes(taken.body), fault.seconds), taken.status_code, media_type=JSON)
        case "wrong_content_type":
            return Response(taken.body, taken.status_code, media_type="text/html")
        case "truncated_json":
            return Response(bytes(taken.body)[: len(taken.body) // 2], taken.status_code, media_type=JSON)
    return taken


async def silence(seconds: float) -> None:
    """Says nothing for a while."""
    await asyncio.sleep(min(seconds, LONGEST_SILENCE_SECONDS))


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, media_type=JSON)


def understood(body: bytes, kind: type[Told]) -> Told:
    """What we are told, not what a provider is asked. Raises `Problem` with the field that is wrong and what to write there."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as wrong:
        what, _, path = str(wrong).partition(" - at `")
        pointer = path.rstrip("`").removeprefix("$").replace("[...]", "/*").replace("[", "/").replace("]", "").replace(".", "/")
        detail = what + _way_out(what, pointer.rpartition("/")[2], kind)
        errors = (FieldError(pointer=pointer, detail=detail),)
        raise Problem(422, "invalid-request", f"{pointer or 'the body'}: {detail}", errors=errors) from wrong
    except msgspec.DecodeError as wrong:
        raise Problem(400, "malformed", f"the body is no JSON: {wrong}") from wrong


def _way_out(what: str, field: str, kind: type) -> str:
    """What may be written instead: msgspec's own message names the limit of a number, but not the words of a list."""
    if "unknown field" in what:
        return ": leave it out"
    if "enum" not in what:
        return ""
    _, parts = msgspec.json.schema_components((kind,))
    fields = [part.get("properties", {}).get(field, {}) for part in parts.values()]
    lists = [one.get("enum", ()) for found in fields for one in (found, *found.get("anyOf", ()))]
    return f": write one of {', '.join(sorted({str(word) for words in lists for word in words}))}"


def _refused(fault: Fault, manners: Manners) -> Response:
    usual = {"throttle": manners.throttled, "unavailable": manners.unavailable}.get(fault.kind)
    usual = usual or (manners.temporary if fault.temporary else manners.permanent)
    headers = {"retry-after": _retry_after(fault)} if fault.kind == "throttle" else {}
    return manners.render(Refusal(fault.status or usual.status, fault.code or usual.code, usual.message), headers)


def _retry_after(fault: Fault) -> str:
    return formatdate(time.time() + fault.seconds, usegmt=True) if fault.as_date else str(max(1, round(fault.seconds)))


async def _slowly(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    if not body:
        await silence(seconds)
    size = max(1, -(-len(body) // PIECES))
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await silence(seconds / PIECES)


def _drop(request: Request) -> None:
    if request.client is not None:
        reset_peer((request.client.host, request.client.port))
