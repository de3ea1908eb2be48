"""PostHog's capture routes: the events of its libraries, in the protocol of all of them and in the newer one of those for servers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec
from nextwave_contracts.rejected import Rejected
from nextwave_runtime.problem import Problem

from nextwave_ingest.admission import EVENT_BYTES_MAX, Admitted, Ignored, Refusal, RefusedError, check_count, misfit
from nextwave_ingest.doors.browsers import CREDENTIALED, preflight
from nextwave_ingest.doors.exchange import Answer, Request, allow
from nextwave_ingest.doors.posthog_mapping import id_of, is_left_out, understand
from nextwave_ingest.doors.segment import REJECTED_MAX
from nextwave_ingest.doors.segment_mapping import Envelope, normal
from nextwave_ingest.occurrence import sent_at
from nextwave_ingest.reception import Reception, problem_of, rejections, warnings

BY_EVENT = "/i/v1/analytics/events"
"""The newer protocol: the key is a Bearer token, and the answer has a result for each event."""
ROUTES = ("/batch", "/capture", "/e", "/i/v0/e", "/i/v0/ai/batch", BY_EVENT)
BYTES_MAX = 100 * EVENT_BYTES_MAX + 16_384
"""Its libraries send up to 100 events, whatever their size, and some give all of them up on 413: as many of the largest are taken."""
LATER = frozenset({408, 429})
"""After these its library for pages drops what it sent, as after any 4xx, and all of its libraries come again after 503."""
_KEY = "api_key or token in the body, or as a Bearer token"
_NO_CUSTOMER = Ignored("no_customer", "/event", "events of PostHog's own that tell of no customer are left out")
_JSON = ((b"content-type", b"application/json"),)


class Body(msgspec.Struct):
    """The object of a request: a batch, or one event; where it carries the key."""

    batch: list[msgspec.Raw] | None = None
    api_key: Any = None
    token: Any = None
    sent_at: Any = None


class _Tokens(msgspec.Struct):
    token: Any = None


class _Keyed(msgspec.Struct):
    api_key: Any = None
    token: Any = None
    properties: _Tokens | list[Any] | str | float | bool | None = None


_bodies = msgspec.json.Decoder(Body)
_lists = msgspec.json.Decoder(list[msgspec.Raw])
_keyed = msgspec.json.Decoder(_Keyed)


class PostHogDoor:
    """Answers `{"status":1}` once everything is durable, with what was wrong with refused events; in the newer protocol each one's result.

    `complaint_events`: by source, the events that are complaints.
    """

    name = "posthog"
    headers = CREDENTIALED

    def __init__(self, reception: Reception, *, complaint_events: Mapping[str, Sequence[str]], currency: str) -> None:
        self._reception = reception
        self._complaints = {source: frozenset(map(normal, events)) for source, events in complaint_events.items()}
        self._currency = currency

    async def __call__(self, request: Request) -> Answer:
        """Any of the capture routes: a batch, a list of events or one event."""
        if request.method == "OPTIONS":
            return preflight(request)
        allow(request, "POST", "OPTIONS")
        try:
            return await self._taken(request)
        except Problem as problem:
            if problem.status not in LATER:
                raise
            raise Problem(503, problem.kind, problem.detail, retry_after_seconds=problem.retry_after_seconds or 1) from problem

    async def _taken(self, request: Request) -> Answer:
        events, single, key, sent = _read(_unwrapped(await request.body(BYTES_MAX)))
        source, at = self._reception.source_of(request, _KEY, lambda: key), self._reception.now()
        sent = sent_at(request.header(b"posthog-request-timestamp").decode("latin-1")) or sent
        request.said = {"sent_at": sent}
        envelope = self._envelope(source, at, sent)
        taken = {index: event for index, event in enumerate(events) if not is_left_out(event)}
        verdicts = await self._reception.judge(list(taken.values()), partial(understand, envelope=envelope), source, at)
        if single and verdicts and isinstance(verdicts[0], Refusal):
            raise self._reception.refusal(verdicts[0], door=self.name, source=source, at=at)
        await self._reception.take(request, verdicts, door=self.name, source=source, at=at)
        self._reception.ignore(request, [_NO_CUSTOMER] * (len(events) - len(taken)), door=self.name, source=source, at=at)
        places = list(taken)
        rejected = [told | {"index": places[told["index"]]} for told in rejections(verdicts)]
        doubts = [told | {"index": places[told["index"]]} for told in warnings(verdicts)[:REJECTED_MAX]]
        by_event = request.path.rstrip("/") == BY_EVENT
        return Answer(200, msgspec.json.encode(_results(events, rejected) if by_event else _told(rejected, doubts)), _JSON)

    def again(self, kept: Rejected) -> list[Admitted | Refusal]:
        """What a refused event is found to be today."""
        envelope = self._envelope(kept.key, kept.at, sent_at(kept.said.get("sent_at")))
        return [self._reception.judge_again(kept.payload, partial(understand, envelope=envelope), kept.key, kept.at)]

    def _envelope(self, source: str, at: datetime, sent: datetime | None) -> Envelope:
        complaints = self._complaints.get(source, frozenset())
        return Envelope(source=source, received_at=at, sent_at=sent, complaints=complaints, currency=self._currency)


def _unwrapped(body: bytes) -> bytes:
    """The JSON in a form's `data`, as pages send it when they are left; anything else is JSON itself. Raises a 400 `Problem`."""
    if not body.startswith(b"data="):
        return body
    try:
        return base64.b64decode(parse_qs(body.decode("ascii"))["data"][0].replace(" ", "+"), validate=True)
    except (ValueError, KeyError, binascii.Error) as wrong:
        raise problem_of(RefusedError("/data", "must be JSON in base64")) from wrong


def _read(body: bytes) -> tuple[list[bytes], bool, str, datetime | None]:
    """Events, whether there is but one outside any list, write key and time of sending. Raises a 400 `Problem`."""
    try:
        if body.lstrip()[:1] == b"[":
            events = _lists.decode(body)
            check_count(events, "")
            return [bytes(event) for event in events], False, next(filter(None, map(_key_of, events)), ""), None
        said = _bodies.decode(body)
        if said.batch is None:
            return [body], True, _key_of(body), sent_at(said.sent_at)
        check_count(said.batch, "/batch")
    except (ValueError, RecursionError) as wrong:
        raise problem_of(misfit(wrong)) from wrong
    return [bytes(event) for event in said.batch], False, _first_text(said.api_key, said.token), sent_at(said.sent_at)


def _key_of(event: bytes | msgspec.Raw) -> str:
    """The key that an event carries by itself, or nothing."""
    try:
        said = _keyed.decode(event)
    except (ValueError, RecursionError):
        return ""
    return _first_text(said.api_key, said.token, said.properties.token if isinstance(said.properties, _Tokens) else None)


def _first_text(*values: Any) -> str:
    return next((value for value in values if value and isinstance(value, str)), "")


def _told(rejected: list[dict[str, Any]], doubts: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {"status": 1}
    if rejected:
        told |= {"rejected_count": len(rejected), "rejected": rejected[:REJECTED_MAX]}
    return told | {"warnings": doubts} if doubts else told


def _results(events: list[bytes], rejected: list[dict[str, Any]]) -> dict[str, Any]:
    """By id what became of each event; one without an id cannot be told of."""
    wrong = {told["index"]: {"result": "drop", "details": f"{told['pointer'] or '/'}: {told['detail']}"} for told in rejected}
    return {"results": {name: wrong.get(index, {"result": "ok"}) for index, event in enumerate(events) if (name := id_of(event))}}
