"""The routes of what was rejected: found, looked at, and redriven after a fix."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.security import HTTPBearer
from nextwave_contracts.reasons import REJECT_REASONS, RejectCode
from nextwave_contracts.rejected import Rejected
from nextwave_runtime.auth import Key, Keyring, Role
from nextwave_runtime.parameters import known_only
from nextwave_runtime.problem import FieldError, Problem
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nextwave_ingest import hidden
from nextwave_ingest.rejected import entries
from nextwave_ingest.rejected.entries import Bounds, Place, Wanted
from nextwave_ingest.rejected.redriver import Redriver, Told

READERS: tuple[Role, ...] = ("viewer", "editor", "approver", "operator", "privacy")
LIMIT_MAX = 500
REDRIVE_MAX = 200
"""Items that one call redrives: each is read, judged and made durable by itself."""
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_bearer = HTTPBearer(auto_error=False, description="an API token; `nextwave keys` makes one")
At = Annotated[str, Path(pattern=r"^\d{1,9}-\d{1,18}$", description="partition-offset, as the list names it")]


class Search(BaseModel):
    """What is looked for; what is left out restricts nothing."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(default="", max_length=200, description="whose items a door refused")
    reason: RejectCode | None = None
    processor: str = Field(default="", max_length=200, description="`ingest` for the doors")
    topic: str = Field(default="", max_length=200, description="`door:` and the door's name, or the topic of a message")
    mapping: str = Field(default="", max_length=200, description="by which the item was understood")
    redriven: bool | None = Field(default=None, description="whether it was sent on its way again before")
    since: AwareDatetime | None = Field(default=None, ge=_FIRST, le=_LAST, description="RFC 3339; rejected from this instant on")
    cursor: str = Field(default="", max_length=2000, description="`next` of the page before")

    def wanted(self) -> Wanted:
        """For the log."""
        fields = {"source": self.source, "processor": self.processor, "topic": self.topic, "mapping": self.mapping}
        return Wanted(reason=self.reason or "", redriven=self.redriven, **fields)

    def bounds(self) -> Bounds | None:
        """Where the page begins. Raises a 422 `Problem` for a foreign cursor."""
        if not self.cursor:
            return None
        if (begins := entries.bounds(self.cursor)) is None:
            field = FieldError(pointer="/cursor", detail="send `next` of the page before, as it is")
            raise Problem(422, "invalid-request", "this is no cursor of ours", errors=(field,))
        return begins


class Asked(Search):
    """A page of the list."""

    limit: int = Field(default=100, ge=1, le=LIMIT_MAX)


class Order(Search):
    """What is to be redriven."""

    limit: int = Field(default=100, ge=1, le=REDRIVE_MAX, description="most items of this call; `next` leads to the others")


class RejectedItem(BaseModel):
    """What was rejected: when, where, and why."""

    id: str
    at: datetime
    reason: RejectCode
    detail: str
    processor: str
    topic: str
    partition: int
    offset: int
    source: str
    mapping: str
    size_bytes: int = Field(description="of the original")
    cut: bool = Field(description="only its beginning was kept, so that it cannot be redriven")
    redriven_at: datetime | None = Field(description="when it was last sent on its way again")
    redriven_by: str = Field(description="the name of the token by which it was")


class RejectedPage(BaseModel):
    """Newest first. A page may be short, even empty, and still have a `next`: it looks at a few thousand records only."""

    items: list[RejectedItem]
    next: str | None


class RejectedWhole(RejectedItem):
    """With its bytes, as text or else in base64. `masked`: what it says is left out, which tokens of privacy see."""

    meaning: str
    text: str | None
    base64: str | None
    masked: bool
    said: dict[str, Any]
    cannot_be_redriven: str
    """Why not, or an empty text."""


class NotSent(BaseModel):
    """What was refused again, and what to mend."""

    id: str
    reason: str
    pointer: str
    detail: str


class RedriveTold(BaseModel):
    """Items whose touchpoints are all durable, those that a mapping ignores today, and what was refused again."""

    accepted: int
    ignored: int
    touchpoints: int
    repeated: int = Field(description="of those accepted and ignored: what had been redriven before, to no second effect")
    refused: list[NotSent]
    next: str | None = None


def rejected_router(keyring: Keyring, redriver: Redriver) -> APIRouter:
    """The routes. Readers see what senders wrote masked unless their token is for it; only operators redrive."""
    router = APIRouter(tags=["rejected"])
    readers = [Depends(_needs(keyring, *READERS)), Depends(known_only)]
    operators = [Depends(_needs(keyring, "operator")), Depends(known_only)]

    @router.get("/v1/rejected", dependencies=readers)
    async def list_rejected(request: Request, asked: Annotated[Asked, Query()]) -> RejectedPage:
        """What the doors and the processors rejected in the last 30 days, newest first."""
        page = await redriver.page(asked.wanted(), since=asked.since, bounds=asked.bounds(), limit=asked.limit)
        shown = page.entries if _caller(request).sees_addresses else map(entries.masked, page.entries)
        return RejectedPage(items=[_item(entry) for entry in shown], next=_cursor(page.rest))

    @router.get("/v1/rejected/{at}", dependencies=readers)
    async def show_rejected(request: Request, at: At) -> RejectedWhole:
        """One of them with its bytes, and whether it can be redriven."""
        place, kept = await _found(redriver, at)
        return _whole(
            redriver.marked(entries.entry_of(kept, place)), kept, await redriver.fault(kept), sees_addresses=_caller(request).sees_addresses
        )

    @router.post("/v1/rejected/{at}:redrive", dependencies=operators, responses={409: {"description": "it cannot be redriven"}})
    async def redrive_one(request: Request, at: At) -> RedriveTold:
        """Judge one again and send what is accepted on its way. Twice has no second effect."""
        place, kept = await _found(redriver, at)
        if why := await redriver.fault(kept):
            raise Problem(409, "cannot-be-redriven", why)
        caller = _caller(request)
        return _told(await redriver.redrive([place], caller.name), caller)

    @router.post("/v1/rejected:redrive", dependencies=operators)
    async def redrive_many(request: Request, order: Order) -> RedriveTold:
        """Judge all of these again, some at a time: go on with `next` until it is null. Twice has no second effect."""
        page = await redriver.page(order.wanted(), since=order.since, bounds=order.bounds(), limit=order.limit)
        oldest_first = [place for entry in reversed(page.entries) if (place := entries.place(entry.id))]
        caller = _caller(request)
        return _told(await redriver.redrive(oldest_first, caller.name), caller, _cursor(page.rest))

    return router


def _needs(keyring: Keyring, *roles: Role) -> Callable[..., None]:
    def remember(request: Request, _: Annotated[Any, Depends(_bearer)]) -> None:
        request.state.key = keyring.require(request.headers.get("authorization", ""), *roles)

    return remember


def _caller(request: Request) -> Key:
    key: Key = request.state.key
    return key


async def _found(redriver: Redriver, at: str) -> tuple[Place, Rejected]:
    place = entries.place(at)
    kept = await redriver.find(place) if place else None
    if place is None or kept is None:
        raise Problem(404, "unknown-rejected", f"there is nothing at {at} (any more); GET /v1/rejected lists what there is")
    return place, kept


def _whole(entry: entries.Entry, kept: Rejected, fault: str, *, sees_addresses: bool) -> RejectedWhole:
    shown = entries.content(kept.payload, sees_addresses=sees_addresses)
    return RejectedWhole(
        **_item(entry if sees_addresses else entries.masked(entry)).model_dump(),
        meaning=REJECT_REASONS[kept.reason],
        **shown._asdict(),
        said=entries.said_of(kept, sees_addresses=sees_addresses),
        cannot_be_redriven=fault,
    )


def _item(entry: entries.Entry) -> RejectedItem:
    return RejectedItem.model_validate(entry, from_attributes=True)


def _told(told: Told, caller: Key, more: str | None = None) -> RedriveTold:
    answer = RedriveTold.model_validate(told, from_attributes=True).model_copy(update={"next": more})
    if not caller.sees_addresses:
        for one in answer.refused:
            one.pointer, one.detail = hidden.pointer(one.pointer), hidden.words(one.detail, entries.DETAIL_MAX)
    return answer


def _cursor(rest: Bounds | None) -> str | None:
    return None if rest is None else entries.cursor(rest)
