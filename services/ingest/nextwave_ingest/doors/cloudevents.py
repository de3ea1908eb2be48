"""CloudEvents 1.0 over HTTP in all three modes, with the webhook handshake: for call centres and everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from nextwave_contracts.rejected import Rejected
from nextwave_runtime.problem import Problem

from nextwave_ingest.admission import BATCH_BYTES_MAX, Admitted, Refusal, RefusedError, check_count, misfit
from nextwave_ingest.doors.cloudevents_mapping import REQUIRED, from_headers, trace_of, understand
from nextwave_ingest.doors.exchange import Answer, Request, allow
from nextwave_ingest.reception import Reception, problem_of, rejections, warnings

_KEY = "the user name of Basic credentials (`curl -u KEY:`), a Bearer token or X-Write-Key"
_JSON = ((b"content-type", b"application/json"),)
_BATCH_TYPE = b"application/cloudevents-batch"
_EVENT_TYPE = b"application/cloudevents"
_MODES = "send Content-Type application/cloudevents+json, or the headers ce-specversion, ce-id, ce-source and ce-type"
_FORMATS = (b"", b"+json")
"""Event formats that are read; XML, Avro and Protobuf are not."""
_batches = msgspec.json.Decoder(list[msgspec.Raw])


class CloudEventsDoor:
    """Answers 202 once everything is durable, with the number of events accepted and what was wrong with the others."""

    name = "cloudevents"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    async def __call__(self, request: Request) -> Answer:
        """`POST` events, or `OPTIONS` for the handshake."""
        if request.method == "OPTIONS":
            return handshake(request)
        allow(request, "POST", "OPTIONS")
        source = self._reception.source_of(request, _KEY)
        at = self._reception.now()
        body = await request.body(BATCH_BYTES_MAX)
        batched, items = events_of(request, body)
        verdicts = await self._reception.judge(items, partial(understand, key_source=source, received_at=at), source, at)
        if not batched and isinstance(verdicts[0], Refusal):
            raise self._reception.refusal(verdicts[0], door=self.name, source=source, at=at)
        if not batched and b"traceparent" not in request.headers:
            request.headers[b"traceparent"] = trace_of(items[0])
        await self._reception.take(request, verdicts, door=self.name, source=source, at=at)
        return _accepted(verdicts)

    def again(self, kept: Rejected) -> list[Admitted | Refusal]:
        """What a refused event is found to be today."""
        judging = partial(understand, key_source=kept.key, received_at=kept.at)
        return [self._reception.judge_again(kept.payload, judging, kept.key, kept.at)]


def events_of(request: Request, body: bytes) -> tuple[bool, list[bytes]]:
    """Whether the request is a batch, and its events as JSON documents. Raises a 400 or 415 `Problem`."""
    kind = request.header(b"content-type").partition(b";")[0].strip().lower()
    batched = kind.startswith(_BATCH_TYPE)
    if kind.startswith(_EVENT_TYPE) and kind.removeprefix(_BATCH_TYPE if batched else _EVENT_TYPE) not in _FORMATS:
        raise Problem(415, "unknown-format", "send events in the JSON format: application/cloudevents+json or -batch+json")
    if batched:
        try:
            batch = _batches.decode(body)
            check_count(batch, "")
        except (ValueError, RecursionError) as wrong:
            raise problem_of(misfit(wrong)) from wrong
        return True, [bytes(item) for item in batch]
    if kind.startswith(_EVENT_TYPE):
        return False, [body]
    missing = [name for name in REQUIRED if b"ce-" + name.encode() not in request.headers]
    if missing:
        raise problem_of(RefusedError(f"/ce-{missing[0]}", _MODES))
    try:
        return False, [from_headers(request.headers, body)]
    except RefusedError as error:
        raise problem_of(error) from error


def handshake(request: Request) -> Answer:
    """The webhook handshake: any origin may send at any rate, since its key decides."""
    origin = request.header(b"webhook-request-origin")
    if not origin:
        return Answer(204, b"", ((b"allow", b"POST, OPTIONS"),))
    asked = request.header(b"webhook-request-rate")
    rate = asked if asked.isdigit() and int(asked[:9]) else b"*"
    return Answer(200, b"", ((b"allow", b"POST, OPTIONS"), (b"webhook-allowed-origin", origin), (b"webhook-allowed-rate", rate)))


def _accepted(verdicts: Sequence[Admitted | Refusal]) -> Answer:
    rejected = rejections(verdicts)
    told = {"accepted": len(verdicts) - len(rejected), "rejected": rejected}
    return Answer(202, msgspec.json.encode(told | ({"warnings": doubts} if (doubts := warnings(verdicts)) else {})), _JSON)
