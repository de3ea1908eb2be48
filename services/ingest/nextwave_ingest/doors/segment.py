"""The Segment protocol: what analytics libraries of web shops, apps and servers send, whatever content type they say it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from nextwave_contracts.rejected import Rejected
from nextwave_runtime.problem import Problem

from nextwave_ingest.admission import BATCH_BYTES_MAX, EVENT_BYTES_MAX, Admitted, Refusal, check_count, misfit
from nextwave_ingest.doors.browsers import CORS, preflight
from nextwave_ingest.doors.exchange import Answer, Request, allow
from nextwave_ingest.doors.segment_mapping import NOTHING, Context, Envelope, Stated, normal, shared, understand
from nextwave_ingest.occurrence import sent_at
from nextwave_ingest.reception import Reception, problem_of, rejections, warnings

JITSU = ("/api/s/", "/api/s/s2s/")
"""Where Jitsu's clients send a single call: in pages and apps, and from servers."""
KINDS: Mapping[str, str] = {route: kind for kind in ("track", "identify", "page", "screen", "group", "alias") for route in (kind, kind[0])}
"""Routes of single calls: the last part of the path to the call's type."""
BATCHES = ("batch", "import", "b")
REJECTED_MAX = 100
"""Refused items that the answer to a batch names; all of them are kept and counted."""
_KEY = "the user name of Basic credentials (`curl -u KEY:`), a Bearer token, X-Write-Key, or writeKey in the body"
_JSON = ((b"content-type", b"application/json"),)
_SUCCESS = Answer(200, b'{"success":true}', _JSON)


class Batch(msgspec.Struct, rename="camel"):
    """The envelope of a batch; its calls are decoded one by one, so that a bad one harms no other."""

    batch: list[msgspec.Raw]
    write_key: Any = None
    sent_at: Any = None
    context: Stated = None


class Key(msgspec.Struct, rename="camel"):
    """Where a single call carries its write key."""

    write_key: Any = None


_batches = msgspec.json.Decoder(Batch)
_keys = msgspec.json.Decoder(Key)


class SegmentDoor:
    """Answers `{"success":true}` once everything is durable, with what was wrong with a batch's refused items.

    `complaint_events`: by source, the track events that are complaints.
    """

    name = "segment"
    headers = CORS

    def __init__(self, reception: Reception, *, complaint_events: Mapping[str, Sequence[str]], currency: str) -> None:
        self._reception = reception
        self._complaints = {source: frozenset(map(normal, events)) for source, events in complaint_events.items()}
        self._currency = currency

    async def __call__(self, request: Request) -> Answer:
        """Any of the protocol's routes."""
        if request.method != "POST":
            allow(request, "POST", "OPTIONS")
            return preflight(request)
        route = request.path.rstrip("/").rpartition("/")[2]
        try:
            body = await request.body(BATCH_BYTES_MAX)
        except Problem as problem:
            if problem.status != 413:
                raise
            raise Problem(400, problem.kind, problem.detail) from problem  # the protocol's own status for its limits
        return await (self._batch(request, body) if route in BATCHES else self._single(request, body, KINDS[route]))

    async def _single(self, request: Request, body: bytes, kind: str) -> Answer:
        if len(body) > EVENT_BYTES_MAX:
            raise Problem(400, "too-large", f"an event may have {EVENT_BYTES_MAX} bytes, this one has {len(body)}")
        try:
            source = self._reception.source_of(request, _KEY, lambda: _written(_keys.decode(body).write_key))
        except (ValueError, RecursionError) as wrong:
            raise problem_of(misfit(wrong)) from wrong
        envelope = self._envelope(source, kind=kind)
        verdict = await self._reception.judge([body], partial(understand, envelope=envelope), source, envelope.received_at)
        if isinstance(verdict[0], Refusal):
            raise self._reception.refusal(verdict[0], door=self.name, source=source, at=envelope.received_at)
        await self._reception.take(request, verdict, door=self.name, source=source, at=envelope.received_at)
        return _taken(verdict)

    async def _batch(self, request: Request, body: bytes) -> Answer:
        try:
            batch = _batches.decode(body)
            check_count(batch.batch, "/batch")
        except (ValueError, RecursionError) as wrong:
            raise problem_of(misfit(wrong)) from wrong
        source = self._reception.source_of(request, _KEY, lambda: _written(batch.write_key))
        envelope = self._envelope(source, sent=sent_at(batch.sent_at), context=shared(batch.context))
        request.said = {"sent_at": envelope.sent_at, "context": envelope.context}
        verdicts = await self._reception.judge(
            [bytes(item) for item in batch.batch], partial(understand, envelope=envelope), source, envelope.received_at
        )
        await self._reception.take(request, verdicts, door=self.name, source=source, at=envelope.received_at)
        return _taken(verdicts)

    def again(self, kept: Rejected) -> list[Admitted | Refusal]:
        """What a refused call is found to be today."""
        context = shared(msgspec.convert(kept.said.get("context"), Stated))
        envelope = self._envelope(kept.key, sent=sent_at(kept.said.get("sent_at")), context=context, at=kept.at)
        return [self._reception.judge_again(kept.payload, partial(understand, envelope=envelope), kept.key, kept.at)]

    def _envelope(
        self, source: str, *, kind: str = "", sent: datetime | None = None, context: Context = NOTHING, at: datetime | None = None
    ) -> Envelope:
        return Envelope(
            source=source,
            received_at=at or self._reception.now(),
            kind=kind,
            sent_at=sent,
            context=context,
            complaints=self._complaints.get(source, frozenset()),
            currency=self._currency,
        )


# Without it the client counts its own work at a rate of 1 and posts that from shoppers' browsers to Segment (its stats/remote-metrics).
_NO_METRICS = {"sampleRate": 0}


class SegmentSettingsDoor:
    """`GET /v1/projects/{writeKey}/settings`: tells the browser client to send its events here."""

    name = "segment-settings"
    headers = CORS

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    async def __call__(self, request: Request) -> Answer:
        """The settings document of a known write key."""
        if request.method == "OPTIONS":
            return preflight(request)
        allow(request, "GET", "OPTIONS")
        key = request.path.split("/")[3]
        if (source := self._reception.source_of_key(key)) is None:
            raise Problem(404, "unknown-write-key", "no source has this write key; `nextwave keys` lists and makes them")
        request.source = source
        self._reception.check_origin(source, request)
        host = request.header(b"host").decode("latin-1")
        destination = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": _scheme(request)}
        plan = {"track": {"__default": {"enabled": True}}}
        document = {"integrations": {"Segment.io": destination}, "plan": plan, "metrics": _NO_METRICS}
        return Answer(200, msgspec.json.encode(document), _JSON)


def _scheme(request: Request) -> str:
    """How the page reached us: behind a gateway that ends TLS it is not how the gateway did, and a page by https may not post by http."""
    told = request.header(b"x-forwarded-proto").decode("latin-1").partition(",")[0].strip().lower()
    return told if told in ("http", "https") else request.scope.get("scheme", "https")


def _taken(verdicts: Sequence[Admitted | Refusal]) -> Answer:
    """A success even with refused items (clients drop a whole batch on 4xx); it names them, and what may have been meant otherwise."""
    rejected, doubts = rejections(verdicts), warnings(verdicts)
    if not rejected and not doubts:
        return _SUCCESS
    told: dict[str, Any] = {"success": True}
    if rejected:
        told |= {"rejected_count": len(rejected), "rejected": rejected[:REJECTED_MAX]}
    if doubts:
        told["warnings"] = doubts[:REJECTED_MAX]
    return Answer(200, msgspec.json.encode(told), _JSON)


def _written(key: Any) -> str:
    """The key in a body; where it is no text there is none, and one in the headers counts all the same."""
    return key if isinstance(key, str) else ""
