"""A call centre's dialler: lists of entries to call over HTTP, calls of its own placing, outcomes as Standard Webhooks.

`PUT /dialler/v1/lists/{list}/entries/{entry}` pushes (201) or updates (200), `DELETE` retracts (409 once it was called), `GET` looks up;
`GET /dialler/v1/lists/{list}` lists what waits. An entry is `{"to", "reference", "script", "priority", "not_before", "not_after",
"callback_url"}`; `reference` is the caller's action. Highest priority is called first, as fast as `PUT /dialler` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nextwave_local.simulator.answering import Manners, Refusal, answer, as_json, understood
from nextwave_local.simulator.httpsms_door import may, refusal
from nextwave_local.simulator.message import Message
from nextwave_local.simulator.people import Act
from nextwave_local.simulator.world import Verdict, World

BODY_MAX = 65_536
ENTRIES_MAX = 200_000
TURN_SECONDS = 0.05
State = Literal["waiting", "called", "retracted", "expired"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to call. `not_before` and `not_after` are business instants; a higher `priority` goes first."""

    to: Annotated[str, Meta(pattern=r"^\+[1-9]\d{6,14}$")]
    reference: Annotated[str, Meta(min_length=1, max_length=200)]
    script: Annotated[str, Meta(max_length=20_000)] = ""
    priority: float = 0.0
    not_before: Annotated[datetime, Meta(tz=True)] | None = None
    not_after: Annotated[datetime, Meta(tz=True)] | None = None
    callback_url: Annotated[str, Meta(max_length=2000)] = ""


class Pace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How calls are placed: `after_seconds` (business) from push to call at the earliest, at most `per_turn` at once (each 50 ms of wall).

    `calling` false: the agents have a break.
    """

    after_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 60.0
    per_turn: Annotated[int, Meta(ge=1, le=10_000)] = 10
    calling: bool = True


@dataclass
class Listed:
    """An entry on a list; `verdict` is the provider's own note of having taken it."""

    entry: Entry
    verdict: Verdict
    pushed_at: datetime
    state: State = "waiting"


class Dialler:
    """All lists, and the one who calls."""

    def __init__(self, world: World) -> None:
        self.pace = Pace()
        self._world = world
        self._lists: dict[tuple[str, str], Listed] = {}
        self._waiting: dict[tuple[str, str], Listed] = {}

    def listed(self, place: tuple[str, str]) -> Listed | None:
        """One entry by list and name."""
        return self._lists.get(place)

    def waiting(self, name: str) -> dict[str, Listed]:
        """What is still to be called on a list."""
        return {entry: one for (its, entry), one in self._waiting.items() if its == name}

    def full(self) -> bool:
        """Whether no more can be kept."""
        return len(self._lists) >= ENTRIES_MAX

    def push(self, place: tuple[str, str], entry: Entry, raw: bytes) -> Verdict:
        """A new entry, judged by the menu."""
        verdict = self._world.judge(_message(place, entry), raw)
        if verdict.accepted:
            self._lists[place] = self._waiting[place] = Listed(entry, verdict, self._world.now())
        return verdict

    def update(self, place: tuple[str, str], entry: Entry, raw: bytes) -> Verdict:
        """The same entry with other words."""
        listed = self._lists[place]
        verdict = self._world.judge(_message(place, entry), raw, "updated")
        if verdict.accepted:
            listed.entry = entry
            message = replace(listed.verdict.message, to=entry.to, callback_url=entry.callback_url)
            listed.verdict = replace(listed.verdict, message=message)
        return verdict

    def retract(self, place: tuple[str, str]) -> Verdict:
        """Nobody calls it any more."""
        listed = self._lists[place]
        done = "repeated" if listed.state == "retracted" else "retracted"
        verdict = self._world.judge(_message(place, listed.entry), b"", done)
        if verdict.accepted:
            listed.state = "retracted"
            self._waiting.pop(place, None)
        return verdict

    async def run(self) -> None:
        """Calls until cancelled."""
        while True:
            self.turn()
            await asyncio.sleep(TURN_SECONDS)

    def turn(self) -> None:
        """Calls whoever may be called now, the most urgent first."""
        if not self.pace.calling:
            return
        now = self._world.now()
        ripe = [(place, one) for place, one in self._waiting.items() if self._is_ripe(one, now)]
        for place, one in sorted(ripe, key=lambda item: -item[1].entry.priority)[: self.pace.per_turn]:
            del self._waiting[place]
            self._call(one, now)

    def _is_ripe(self, one: Listed, now: datetime) -> bool:
        earliest = one.pushed_at + timedelta(seconds=self.pace.after_seconds)
        return now >= max(earliest, one.entry.not_before or earliest)

    def _call(self, one: Listed, now: datetime) -> None:
        if one.entry.not_after and now >= one.entry.not_after:
            one.state = "expired"
            self._world.tell(one.verdict, [Act("status", now, {"status": "expired"})])
            return
        one.state = "called"
        self._world.note(replace(one.verdict.message, price=""), b"", "called")
        self._world.reach(one.verdict)


def routes(world: World, dialler: Dialler) -> list[Route]:
    """The dialler's API, and ours to set its pace."""

    async def entry(request: Request) -> Response:
        if not may(world, request):
            return refusal(Refusal(401, "unauthenticated", "the bearer token is not known"))
        place = (request.path_params["list"], request.path_params["entry"])
        if request.method == "PUT":
            return await _put(request, dialler, place)
        listed = dialler.listed(place)
        if listed is None:
            return refusal(Refusal(404, "not_found", "no entry of this list has this name"))
        return await _retract(request, dialler, place) if request.method == "DELETE" else as_json(_shown(place[1], listed))

    async def whole(request: Request) -> Response:
        if not may(world, request):
            return refusal(Refusal(401, "unauthenticated", "the bearer token is not known"))
        waiting = dialler.waiting(request.path_params["list"])
        return as_json({"entries": [_shown(name, one) for name, one in waiting.items()]})

    async def pace(request: Request) -> Response:
        if request.method == "PUT":
            dialler.pace = understood(await request.body(), Pace)
        return as_json(dialler.pace)

    return [
        Route("/dialler/v1/lists/{list}/entries/{entry}", entry, methods=["GET", "PUT", "DELETE"]),
        Route("/dialler/v1/lists/{list}", whole),
        Route("/dialler", pace, methods=["GET", "PUT"]),
    ]


async def _put(request: Request, dialler: Dialler, place: tuple[str, str]) -> Response:
    body = await request.body()
    if len(body) > BODY_MAX:
        return refusal(Refusal(413, "too_large", f"an entry has at most {BODY_MAX} bytes"))
    try:
        wanted = msgspec.json.decode(body, type=Entry)
    except msgspec.MsgspecError as wrong:
        return refusal(Refusal(400, "invalid_request", str(wrong)))
    listed = dialler.listed(place)
    if listed is None and dialler.full():
        return refusal(Refusal(507, "lists_full", f"at most {ENTRIES_MAX} entries can be kept"))
    if listed is not None and listed.state != "waiting":
        return refusal(Refusal(409, f"already_{listed.state}", f"it was {listed.state}"))
    verdict = dialler.update(place, wanted, body) if listed else dialler.push(place, wanted, body)
    taken = {"entry_id": place[1], "reference": wanted.reference, "state": "waiting", "to": wanted.to}
    return await answer(request, verdict.fault, as_json(taken, 200 if listed else 201), MANNERS)


async def _retract(request: Request, dialler: Dialler, place: tuple[str, str]) -> Response:
    listed = dialler.listed(place)
    assert listed is not None
    if listed.state == "called":
        return refusal(Refusal(409, "already_called", "it was called"))
    verdict = dialler.retract(place)
    return await answer(request, verdict.fault, as_json(_shown(place[1], listed)), MANNERS)


def _message(place: tuple[str, str], entry: Entry) -> Message:
    return Message(
        provider="dialler", kind="call", action_id=entry.reference, to=entry.to, sid="/".join(place), callback_url=entry.callback_url
    )


def _shown(name: str, listed: Listed) -> Mapping[str, Any]:
    return {"entry_id": name, "reference": listed.entry.reference, "state": listed.state, "to": listed.entry.to}


MANNERS = Manners(
    render=refusal,
    permanent=Refusal(422, "invalid_number", "nobody has this number"),
    temporary=Refusal(503, "lists_busy", "the lists are being reloaded"),
    throttled=Refusal(429, "too_many_requests", "slow down"),
    unavailable=Refusal(503, "unavailable", "try again later"),
)
