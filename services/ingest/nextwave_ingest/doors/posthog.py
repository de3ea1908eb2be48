"""PostHog's capture routes: the events of its libraries, and an answer that keeps them calm where they ask for feature flags."""

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

from nextwave_ingest.admission import EVENT_BYTES_MAX, Admitted, Refusal, RefusedError, check_count, misfit
from nextwave_ingest.doors.browsers import CORS, preflight
from nextwave_ingest.doors.exchange import Answer, Request, allow
from nextwave_ingest.doors.posthog_mapping import is_of_the_software, understand
from nextwave_ingest.doors.segment import REJECTED_MAX
from nextwave_ingest.doors.segment_mapping import Envelope, normal
from nextwave_ingest.occurrence import sent_at
from nextwave_ingest.reception import Reception, problem_of, rejections

ROUTES = ("/batch", "/capture", "/e", "/i/v0/e")
FLAGS = ("/flags", "/decide")
BYTES_MAX = 100 * EVENT_BYTES_MAX + 16_384
"""Its libraries send up to 100 events, whatever their size, and some give all of them up on 413: as many of the largest are taken."""
_JSON = ((b"content-type", b"application/json"),)
_NO_FLAGS = msgspec.json.encode(
    {
        "flags": {},
        "featureFlags": {},
        "featureFlagPayloads": {},
        "errorsWhileComputingFlags": False,
        "supportedCompression": ["gzip", "gzip-js"],
        "sessionRecording": False,
        "surveys": False,
        "autocapture_opt_out": True,
        "quotaLimited": [],
    }
)


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
    """Answers `{"status":1}` once everything is durable, with what was wrong with the refused events.

    `complaint_events`: by source, the events that are complaints.
    """

    name = "posthog"
    headers = CORS

    def __init__(self, reception: Reception, *, complaint_events: Mapping[str, Sequence[str]], currency: str) -> None:
        self._reception = reception
        self._complaints = {source: frozenset(map(normal, events)) for source, events in complaint_events.items()}
        self._currency = currency

    async def __call__(self, request: Request) -> Answer:
        """Any of the capture routes: a batch, a list of events or one event."""
        if request.method == "OPTIONS":
            return preflight(request)
        allow(request, "POST", "OPTIONS")
        events, single, key, sent = _read(_unwrapped(await request.body(BYTES_MAX)))
        source, at = self._reception.source_of(request, lambda: key), self._reception.now()
        request.said = {"sent_at": sent}
        envelope = self._envelope(source, at, sent)
        taken = {index: event for index, event in enumerate(events) if not is_of_the_software(event)}
        verdicts = await self._reception.judge(list(taken.values()), partial(understand, envelope=envelope), source, at)
        if single and verdicts and isinstance(verdicts[0], Refusal):
            raise self._reception.refusal(verdicts[0], door=self.name, source=source, at=at)
        await self._reception.take(request, verdicts, door=self.name, source=source, at=at)
        places = list(taken)
        rejected = [told | {"index": places[told["index"]]} for told in rejections(verdicts)]
        answer = {"status": 1} if not rejected else {"status": 1, "rejected_count": len(rejected), "rejected": rejected[:REJECTED_MAX]}
        return Answer(200, msgspec.json.encode(answer), _JSON)

    def again(self, kept: Rejected) -> list[Admitted | Refusal]:
        """What a refused event is found to be today."""
        envelope = self._envelope(kept.key, kept.at, sent_at(kept.said.get("sent_at")))
        return [self._reception.judge_again(kept.payload, partial(understand, envelope=envelope), kept.key, kept.at)]

    def _envelope(self, source: str, at: datetime, sent: datetime | None) -> Envelope:
        complaints = self._complaints.get(source, frozenset())
        return Envelope(source=source, received_at=at, sent_at=sent, complaints=complaints, currency=self._currency)


class FlagsDoor:
    """No feature flags are kept here: whoever asks gets none, so that clients neither fail nor ask again and again."""

    name = "posthog-flags"
    headers = CORS

    async def __call__(self, request: Request) -> Answer:
        """The same answer to everybody."""
        if request.method == "OPTIONS":
            return preflight(request)
        allow(request, "POST", "GET", "OPTIONS")
        await request.body(EVENT_BYTES_MAX)
        return Answer(200, _NO_FLAGS, _JSON)


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
