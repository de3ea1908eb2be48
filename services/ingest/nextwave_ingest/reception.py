"""What all doors do with their items: name the source, judge each item, commit everything, and only then let the door answer."""

from __future__ import annotations

import binascii
import random
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from time import monotonic
from typing import Any, Protocol

from nextwave_contracts.clock import Clock
from nextwave_contracts.identifiers import INTERNAL, blind
from nextwave_contracts.wire import encode
from nextwave_runtime import tracing
from nextwave_runtime.auth import Keyring
from nextwave_runtime.problem import FieldError, Problem

from nextwave_ingest.admission import POINTER_MAX, SEPARATED, Admitted, Ignored, Refusal, RefusedError, Report, admit, in_its_words, judge
from nextwave_ingest.allowances import Allowances, may_stop, refused
from nextwave_ingest.doors.exchange import Request
from nextwave_ingest.records import Record, records_of, rejected
from nextwave_ingest.sources.book import SourceBook
from nextwave_ingest.stops import VERDICT
from nextwave_ingest.turns import Turn

SAID_BYTES_MAX = 1024
"""What a request says for all of its items is kept with each of those that are refused."""
_KEY = "a write key made with `nextwave keys create write NAME --role"
_SEPARATING = (("operator",), RefusedError("/type", f"only an operator may say so: use {_KEY} operator`"))
_REVIEWING = (("agent", "operator"), RefusedError("/type", f"only who may review says so: use {_KEY} agent`"))
_OUR_NAME = (
    ("agent", "operator"),
    RefusedError("/data/identifiers", f"{INTERNAL}... is our own name of a customer: send one that you know, or use {_KEY} agent`"),
)
"""Roles of a write key that may say so, and what everybody else is told."""
_RESERVED_TYPES = {SEPARATED: _SEPARATING, VERDICT: _REVIEWING}
"""Nearly everything else may be said with any key."""
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Committer(Protocol):
    """Makes records durable."""

    async def commit(self, records: Iterable[Record]) -> None:
        """Returns once all in-sync replicas acknowledged all. Raises a 429 or 503 `Problem`; some may still have got through then.

        The records are made while they are read, and no more are read than there is room for.
        """


class Reception:
    """The shell around admission. One for all doors."""

    def __init__(self, committer: Committer, keyring: Keyring, clock: Clock, *, identifier_key: bytes, trace_ratio: float) -> None:
        self.book = SourceBook()
        """What is counted of each source."""
        self._committer = committer
        self._keyring = keyring
        self._allowances = Allowances(keyring)
        self._clock = clock
        self._identifier_key = identifier_key
        self._trace_ratio = trace_ratio
        self._random = random.Random()  # noqa: S311  (trace ids and sampling are no secrets)

    def now(self) -> datetime:
        """The business instant of reception."""
        return self._clock.now()

    def source_of(self, request: Request, how: str, body_key: Callable[[], str] = str) -> str:
        """The source whose write key the request carries. `how` it is sent at this door.

        Raises a 401 `Problem`, or 403 for a page that may not use it.
        """
        presented = presented_key(request)
        source = self.source_of_key(presented)
        if source is None:  # Authorization may be a gateway's, or of the client's OAuth: the body's key counts as well
            source = self.source_of_key(in_body := body_key())
        if source is None:
            wrong = "no source has the write key that was sent" if presented or in_body else "there is no write key"
            raise Problem(401, "unknown-write-key", f"{wrong}: send one as {how}; `nextwave keys` lists and makes them")
        request.source = source
        if b"origin" in request.headers:
            self.check_origin(source, request)
        return source

    def check_origin(self, source: str, request: Request) -> None:
        """Raises a 403 `Problem` for a page that may not use the source's keys."""
        self._allowances.check_origin(source, request.header(b"origin"))

    def has_source(self, source: str) -> bool:
        """Whether there is a write key of this name."""
        return self._keyring.source(source) is not None

    def source_of_key(self, key: str) -> str | None:
        """The source of a write key, or None. What some clients put behind a colon is no part of it."""
        known, _, _ = key.partition(":")
        return self._keyring.write_source(known) if known else None

    async def judge(
        self, items: Sequence[bytes], understand: Callable[[bytes], Report], source: str, at: datetime
    ) -> list[Admitted | Refusal]:
        """A verdict for each item of this source, or a 429 `Problem` beyond its rate.

        What only some may say is refused to others: a shop's key is in every page.
        """
        key = self._keyring.source(source)
        if key is not None and key.rate is not None:
            self.spend(source, len(items))
        verdicts, types, turn = [], () if key is None else key.types, Turn()
        for item in items:
            verdicts.append(self._permitted(judge(item, understand, at, self._blind), item, source, types))
            if monotonic() >= turn.until:
                await turn.pass_on()
        return verdicts

    def judge_again(self, item: bytes, understand: Callable[[bytes], Report], source: str, at: datetime) -> Admitted | Refusal:
        """As `judge`, for one item that came in before, at `at`: it is no part of the source's rate."""
        return self._permitted(judge(item, understand, at, self._blind), item, source, self._allowances.types(source))

    def spend(self, source: str, items: int) -> None:
        """Counts items of a source before they are understood. Raises a 429 `Problem` beyond its rate."""
        self._allowances.spend(source, items)

    def weigh(self, understood: Report | RefusedError, item: bytes, source: str, at: datetime) -> Admitted | Refusal:
        """The verdict on what was understood of an item before, which may be larger than what it reports."""
        if isinstance(understood, RefusedError):
            return Refusal(item, understood)
        try:
            return self._permitted(admit(understood, at, self._blind), item, source, self._allowances.types(source))
        except RefusedError as error:
            return Refusal(item, in_its_words(understood, error))

    def _permitted(self, verdict: Admitted | Refusal, item: bytes, source: str, types: tuple[str, ...]) -> Admitted | Refusal:
        if isinstance(verdict, Refusal):
            return verdict
        if types and (foreign := refused(types, verdict.touchpoint.type)) is not None and not may_stop(types, verdict.holds):
            return Refusal(item, foreign)
        reserved = _RESERVED_TYPES.get(verdict.touchpoint.type)
        for name in verdict.touchpoint.identifiers:
            if name.startswith(INTERNAL):
                reserved = reserved or _OUR_NAME
        if reserved is None or self._keyring.source_has(source, reserved[0]):
            return verdict
        return Refusal(item, reserved[1])

    async def take(self, request: Request, verdicts: Sequence[Admitted | Refusal], *, door: str, source: str, at: datetime) -> None:
        """Commits touchpoints, holds and refused items. Raises a 429 or 503 `Problem`."""
        if not verdicts:
            return
        traceparent = self._traceparent(request.headers.get(b"traceparent", b""))
        kept = partial(rejected, door=door, source=source, at=at, said=_bounded(request.said) if request.said else {})
        await self._committer.commit(records_of(verdicts, kept, traceparent))
        self.book.note(source, counted_at(door, request), verdicts, at)

    def refusal(self, refused: Refusal, *, door: str, source: str, at: datetime) -> Problem:
        """The answer to a single item that is refused: who sent it is told at once, and it is counted and not kept."""
        self.book.note(source, door, [refused], at)
        return problem_of(refused.error, ItemProblem)

    def turned_away(self, request: Request, door: str, problem: Problem) -> None:
        """Counts a request of which nothing is taken, where it is known whose it is; a single refused item is counted as such."""
        if request.source and not isinstance(problem, ItemProblem):
            self.book.turned_away(request.source, counted_at(door, request), problem, self.now())

    def ignore(self, request: Request, items: Sequence[Ignored], *, door: str, source: str, at: datetime) -> None:
        """Counts items of which nothing is to be reported."""
        if items:
            self.book.ignored(source, counted_at(door, request), items, at)

    def admit(self, report: Report, at: datetime) -> Admitted:
        """Admits what we report ourselves (links). A refusal would be our own fault and raises."""
        verdict = judge(b"", lambda _: report, at, self._blind)
        if isinstance(verdict, Refusal):
            raise verdict.error
        return verdict

    def _blind(self, name: str) -> str:
        return blind(name, self._identifier_key)

    def _traceparent(self, given: bytes) -> str:
        if given and _TRACEPARENT.fullmatch(said := given.decode("latin-1")):
            return tracing.child(said, "ingest")
        if self._random.random() >= self._trace_ratio:
            return ""
        return tracing.child(f"00-{self._random.getrandbits(128) | 1:032x}-{self._random.getrandbits(64) | 1:016x}-01", "ingest")


def _bounded(said: dict[str, Any]) -> dict[str, Any]:
    """Of what a request says for all of its items, what fits, first come first kept."""
    kept: dict[str, Any] = {}
    room = SAID_BYTES_MAX
    for name, value in said.items():
        size = len(encode({name: value}))
        if size <= room:
            kept[name] = value
            room -= size
    return kept


def counted_at(door: str, request: Request) -> str:
    """Where a source's items are counted: at the door, or by the mapping."""
    return f"{door}/{request.said['mapping']}" if "mapping" in request.said else door


def presented_key(request: Request) -> str:
    """The write key in the headers (Basic user name, Bearer token or X-Write-Key), or an empty text."""
    headers = request.headers
    key = _credentials(headers[b"authorization"]) if b"authorization" in headers else None
    return headers.get(b"x-write-key", b"").decode("latin-1") if key is None else key


@lru_cache(maxsize=256)
def _credentials(authorization: bytes) -> str | None:
    """The user name or token; None for a scheme that is not ours. A source sends the same again and again."""
    scheme, _, credentials = authorization.decode("latin-1").partition(" ")
    if scheme.lower() == "basic":
        try:
            return binascii.a2b_base64(credentials).decode("latin-1").partition(":")[0]
        except ValueError:
            return ""
    return credentials.strip() if scheme.lower() == "bearer" else None


def rejections(verdicts: Sequence[Admitted | Refusal]) -> list[dict[str, Any]]:
    """What a batch's answer says of its refused items, in their order: `{index, pointer, detail}`."""
    return [
        {"index": index, "pointer": verdict.error.pointer, "detail": verdict.error.detail}
        for index, verdict in enumerate(verdicts)
        if isinstance(verdict, Refusal)
    ]


def warnings(verdicts: Sequence[Admitted | Refusal]) -> list[dict[str, Any]]:
    """What an answer says of items that were taken and may have been meant otherwise: `{index, pointer, detail}`."""
    return [
        {"index": index, "pointer": pointer[:POINTER_MAX], "detail": detail}
        for index, verdict in enumerate(verdicts)
        if isinstance(verdict, Admitted)
        for pointer, detail in verdict.doubts
    ]


class ItemProblem(Problem):
    """A single item was refused, and counted."""


def problem_of(error: RefusedError, sort: type[Problem] = Problem) -> Problem:
    """A refused whole request."""
    field = FieldError(pointer=error.pointer, detail=error.detail)
    return sort(
        400, "too-large" if error.reason == "too_large" else "invalid-item", f"{error.pointer or '/'}: {error.detail}", errors=(field,)
    )
