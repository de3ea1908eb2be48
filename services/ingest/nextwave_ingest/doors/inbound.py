"""`POST /v1/inbound/{source}/{mapping}`: whatever a foreign system posts, understood by a mapping."""

from __future__ import annotations

import asyncio
import binascii
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

import msgspec
from nextwave_contracts.rejected import Rejected
from nextwave_runtime.problem import Problem

from nextwave_ingest.admission import BATCH_BYTES_MAX, Admitted, Refusal, RefusedError
from nextwave_ingest.doors.cloudevents import handshake
from nextwave_ingest.doors.exchange import Answer, Request, allow
from nextwave_ingest.doors.judging import Judging
from nextwave_ingest.doors.provider_signatures import PROVIDERS, Signed, is_signed
from nextwave_ingest.mappings.compiled import Compiled, NoItemsError
from nextwave_ingest.mappings.document import Scheme, Signature
from nextwave_ingest.mappings.effort import LongError, Meter
from nextwave_ingest.reception import Reception, counted_at, presented_key, warnings
from nextwave_ingest.rejected.entries import WHOLE

T = TypeVar("T")
ROUTE = "/v1/inbound/"
MAIL_BYTES_MAX = 10 * 1024 * 1024
"""Of a mail and of a form with files: their attachments are dropped, so that the rest is as small as any item."""
_SMALLER = "attachments are of no use here: let whoever passes it on leave them out"
THREADS = 2
WAITING_MAX = 64
"""Bodies that take long, as mails and forms with files do, which are read or wait for it."""
REJECTED_MAX = 100
"""Refused items that an answer names; all of them are kept and counted."""
_JSON = ((b"content-type", b"application/json"),)
_WOOCOMMERCE_PING = re.compile(rb"webhook_id=\d{1,20}")
"""What it posts, unsigned, when a webhook is saved; any other answer than 200 is shown as a fault."""


class Mappings(Protocol):
    """Where the mappings in force are found."""

    def find(self, name: str) -> Compiled | None:
        """The mapping in force under this name."""

    def fault(self, name: str) -> str:
        """Why nobody can say now which mapping is in force, or an empty text."""


class InboundDoor:
    """Answers 202 with what was accepted, ignored and rejected, or as the mapping says, once everything is durable.

    `secrets`: by source and scheme, what signs its requests: the public key of one scheme would be a secret of any other.
    `url` is our public base, as providers were told it; `wall` gives Unix seconds.
    """

    name = "inbound"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __init__(
        self,
        reception: Reception,
        mappings: Mappings,
        *,
        secrets: Mapping[tuple[str, Scheme], Sequence[str]],
        url: str,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._reception = reception
        self._mappings = mappings
        self._secrets = secrets
        self._url = url.rstrip("/")
        self._wall = wall
        self._readers = ThreadPoolExecutor(THREADS, "long")
        self._waiting = 0

    async def __call__(self, request: Request) -> Answer:
        """`POST` a body, or `OPTIONS` for the handshake."""
        if request.method == "OPTIONS":
            return handshake(request)
        allow(request, "POST", "OPTIONS")
        source, _, name = request.path.removeprefix(ROUTE).rstrip("/").partition("/")
        if self._reception.has_source(source) or any(one == source for one, _ in self._secrets):
            request.source = source
        if self._mappings.fault(name):
            detail = f"the mapping {name!r:.80} cannot be used now; GET /v1/mappings says why"
            raise Problem(503, "mapping-unavailable", detail, retry_after_seconds=5)
        mapping = self._mappings.find(name)
        has_key = self._has_key(request, source)
        signatures = self._signatures(mapping, source)
        if not has_key and not signatures:
            raise self._unknown(source, request)
        large = mapping is not None and mapping.document.body in ("mime", "multipart")
        body = await (request.body(MAIL_BYTES_MAX, _SMALLER) if large else request.body(BATCH_BYTES_MAX))
        with request.room.holding(len(body) if large else 0):
            if not has_key and not self._is_signed(request, body, signatures, source):
                if _is_ping(mapping, body):
                    return Answer(200)
                raise self._unknown(source, request)
            if mapping is None:
                wrong = f"there is no mapping {name!r:.80}" if name else "the address names no mapping"
                raise Problem(404, "unknown-mapping", f"{wrong}: post to {ROUTE}{source}/<mapping>; GET /v1/mappings lists them")
            return await self._taken(request, body, mapping, source)

    async def _taken(self, request: Request, body: bytes, mapping: Compiled, source: str) -> Answer:
        at = self._reception.now()
        request.said = {"mapping": mapping.name}
        judging = Judging(self._reception, mapping, source, at)
        try:
            items = await self._items(request, body, mapping)
            self._reception.spend(source, len(items))
            await judging.judge(items, self._beside)
        except NoItemsError as error:  # it is kept, and found: the mapping may be mended
            self._reception.spend(source, 1)
            request.said[WHOLE] = True
            judging.keep(Refusal(error.body, error))
        except RefusedError as error:
            raise self._reception.refusal(Refusal(b"", error), door=counted_at(self.name, request), source=source, at=at) from error
        await self._reception.take(request, judging.verdicts, door=self.name, source=source, at=at)
        self._reception.ignore(request, judging.ignored, door=self.name, source=source, at=at)
        return _answer(mapping, judging)

    def again(self, kept: Rejected) -> list[Admitted | Refusal]:
        """What a refused item is found to be by the mapping of today."""
        name = str(kept.said.get("mapping") or "")
        if (mapping := self._mappings.find(name)) is None:
            return [Refusal(kept.payload, RefusedError("", f"there is no mapping {name:.80} any more; write it and try again"))]
        try:
            items = mapping.items_kept(kept.payload) if kept.said.get(WHOLE) else [kept.payload]
        except RefusedError as error:
            return [Refusal(kept.payload, error)]
        understand = partial(mapping.understand_all, source=kept.key, received_at=kept.at, meter=Meter())
        found = ((item, one) for item in items for one in understand(item))
        return [self._reception.weigh(one, item, kept.key, kept.at) for item, one in found]

    async def _items(self, request: Request, body: bytes, mapping: Compiled) -> list[bytes]:
        """The items of a body. Raises `RefusedError`, and `NoItemsError` where nobody can tell them."""
        content_type = request.header(b"content-type").decode("latin-1")
        if mapping.document.body not in ("mime", "multipart"):  # a mail takes longer than others should wait
            with suppress(LongError):
                return mapping.items(body, content_type, request.headers, Meter(patient=False))
        return await self._beside(lambda: mapping.items(body, content_type, request.headers))

    async def _beside(self, work: Callable[[], T]) -> T:
        """Does what takes long in a thread of its kind. Raises a 429 `Problem` where too much waits for one."""
        if self._waiting >= WAITING_MAX:
            raise Problem(429, "overloaded", "too much waits that takes long to read; send the same again later", retry_after_seconds=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, work)
        finally:
            self._waiting -= 1

    def _has_key(self, request: Request, source: str) -> bool:
        """Whether it carries a write key of the source. Raises a 403 `Problem` for a page that may not use it."""
        if not any(self._reception.source_of_key(key) == source for key in (presented_key(request), _password(request))):
            return False
        self._reception.check_origin(source, request)
        return True

    def _signatures(self, mapping: Compiled | None, source: str) -> list[Signature]:
        """How the source may sign: as its mapping says, or where there is none as any provider whose secret the source has."""
        wanted = PROVIDERS if mapping is None else (mapping.document.signature,)
        return [one for one in wanted if one is not None and self._secrets.get((source, one.scheme))]

    def _unknown(self, source: str, request: Request) -> Problem:
        """The same whether there is such a mapping or not: nobody learns it who shows neither key nor signature."""
        detail = (
            f"send a write key of {source!r:.80} (Basic user name or password, Bearer or X-Write-Key), or sign as the mapping says, for the"
            f" address {self._url}{request.path:.200}; GET /v1/mappings says whether there is this mapping"
        )
        return Problem(401, "unknown-write-key", detail)

    def _is_signed(self, request: Request, body: bytes, signatures: Sequence[Signature], source: str) -> bool:
        path = request.scope.get("raw_path") or request.path.encode()
        query = request.scope.get("query_string", b"")
        signed = Signed(
            url=self._url + (path + (b"?" + query if query else b"")).decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.items()},
            body=body,
            wall=self._wall(),
        )
        return any(is_signed(signed, one, self._secrets[source, one.scheme]) for one in signatures)


def _answer(mapping: Compiled, judging: Judging) -> Answer:
    wanted = mapping.document.answer
    if wanted is not None:
        return Answer(wanted.status, wanted.body.encode(), ((b"content-type", wanted.content_type.encode()),))
    refused = [(index, verdict) for index, verdict in zip(judging.indexes, judging.verdicts, strict=True) if isinstance(verdict, Refusal)]
    wrong = [(index, error) for index, verdict in refused[:REJECTED_MAX] for error in (verdict.error, *verdict.others)]
    rejected = [{"index": index, "pointer": error.pointer, "detail": error.detail} for index, error in wrong[:REJECTED_MAX]]
    told = {"accepted": len(judging.verdicts) - len(refused), "ignored": len(judging.ignored), "rejected": rejected}
    if doubts := [one | {"index": judging.indexes[one["index"]]} for one in warnings(judging.verdicts)[:REJECTED_MAX]]:
        told["warnings"] = doubts
    return Answer(202, msgspec.json.encode(told), _JSON)


def _password(request: Request) -> str:
    """The password of Basic credentials: some systems let nobody leave the user name or the password empty, so the key may be either."""
    scheme, _, credentials = request.header(b"authorization").partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return binascii.a2b_base64(credentials).decode("latin-1").partition(":")[2]
    except ValueError:
        return ""


def _is_ping(mapping: Compiled | None, body: bytes) -> bool:
    signature = mapping.document.signature if mapping is not None else None
    return signature is not None and signature.scheme == "woocommerce" and _WOOCOMMERCE_PING.fullmatch(body) is not None
