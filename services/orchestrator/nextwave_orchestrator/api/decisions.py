"""Why, and why not: every decision can be asked for, and asked again of the gate."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import HTTPBearer
from msgspec.structs import replace
from nextwave_contracts.decisions import Decision
from nextwave_contracts.masking import MASK
from nextwave_contracts.reasons import GateCode
from nextwave_contracts.wire import decode, encode
from nextwave_runtime.auth import ROLES, Key, Keyring
from nextwave_runtime.database import Database
from nextwave_runtime.problem import FieldError, Problem
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from nextwave_orchestrator import store
from nextwave_orchestrator.candidate import GateInput
from nextwave_orchestrator.decisions import answer, answer_in
from nextwave_orchestrator.durations import FIRST_INSTANT, LAST_INSTANT
from nextwave_orchestrator.replaying import added, is_same
from nextwave_orchestrator.telling import decision_in_words

LIMIT_MAX = 500
_bearer = HTTPBearer(auto_error=False, description="an API token of any role; `nextwave keys` makes one")


class Asked(BaseModel):
    """Query parameters of the list; what is left out restricts nothing."""

    customer: str | None = Field(default=None, max_length=200)
    campaign: str | None = Field(default=None, max_length=200)
    since: AwareDatetime | None = Field(
        default=None, ge=FIRST_INSTANT, le=LAST_INSTANT, description="RFC 3339; decisions from this business instant on"
    )
    code: GateCode | None = Field(default=None, description="reason code, for instance no_consent")
    limit: int = Field(default=100, ge=1, le=LIMIT_MAX)
    cursor: str | None = Field(default=None, max_length=200, description="`next` of the page before")

    def question(self) -> store.Question:
        """For the store. Raises a 422 `Problem` for a foreign cursor."""
        before = _place(self.cursor) if self.cursor else None
        return store.Question(**self.model_dump(exclude={"cursor"}), before=before)


def decisions_router(database: Database, keyring: Keyring) -> APIRouter:
    """The routes; every API role may read them."""

    def reader(request: Request, _: Annotated[Any, Depends(_bearer)]) -> None:
        request.state.key = keyring.require(request.headers.get("authorization", ""), *ROLES)

    router = APIRouter(prefix="/v1", tags=["decisions"], dependencies=[Depends(reader)])

    @router.get("/decisions", summary="Decisions, newest first")
    async def decisions(asked: Annotated[Asked, Query()]) -> Response:
        question = asked.question()
        async with database.transaction() as connection:
            found = await store.find_decisions(connection, question)
        more = _cursor(found[-1]) if len(found) == asked.limit else None
        return _json({"items": found, "next": more})

    @router.get("/decisions/{decision_id}", summary="One decision, with the input of its gate; addresses for who may see them")
    async def decision(request: Request, decision_id: str) -> Response:
        record, given = await _one(database, decision_id)
        by: Key = request.state.key
        shown = given if by.sees_addresses else _masked(given)
        return _json({"decision": record, "words": decision_in_words(record), "input": shown})

    @router.post("/decisions/{decision_id}:replay", summary="Asks the gate again with the stored input")
    async def replay(decision_id: str) -> Response:
        record, given = await _one(database, decision_id)
        again, before = decode(encode(answer(given)), type(answer_in(record))), answer_in(record)
        told = {"same": is_same(before, again), "added": added(before, again), "before": before, "again": again}
        return _json({"decision_id": decision_id, **told})

    return router


async def _one(database: Database, decision_id: str) -> tuple[Decision, GateInput]:
    async with database.transaction() as connection:
        found = await store.find_decision(connection, decision_id)
    if found is None:
        raise Problem(404, "not-found", f"there is no decision {decision_id!r}")
    return found


def _masked(given: GateInput) -> GateInput:
    """Without addresses; where there is none, that still shows."""
    return replace(given, offers=tuple(replace(offer, address=MASK if offer.address else "") for offer in given.offers))


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")


def _cursor(last: Decision) -> str:
    return base64.urlsafe_b64encode(f"{last.at.isoformat()}|{last.decision_id}".encode()).decode()


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        written, _, decision_id = base64.urlsafe_b64decode(cursor).decode().partition("|")
        at = datetime.fromisoformat(written)
    except (binascii.Error, UnicodeDecodeError, ValueError) as wrong:
        raise _foreign() from wrong
    if at.tzinfo is None or not FIRST_INSTANT <= at <= LAST_INSTANT or "\0" in decision_id:
        raise _foreign()
    return at, decision_id


def _foreign() -> Problem:
    error = FieldError(pointer="/query/cursor", detail="use the `next` of the page before, unchanged")
    return Problem(422, "invalid-request", "this is no cursor of ours", errors=(error,))
