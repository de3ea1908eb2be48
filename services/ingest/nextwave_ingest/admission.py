"""Whether an item of a request becomes a touchpoint, in which form, and which holds it raises: one pure decision for every door. PURE."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from nextwave_contracts.consents import GRANTED, WITHDRAWN, scoped
from nextwave_contracts.contents import ORDERED, fault_of
from nextwave_contracts.holds import Hold
from nextwave_contracts.identifiers import InvalidIdentifierError, identifier, parse, strongest
from nextwave_contracts.messages_in import CHANNEL_OF
from nextwave_contracts.reasons import IgnoreCode, RejectCode
from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES
from nextwave_contracts.wire import Message, encode

from nextwave_ingest.contact_points import TELLING, contact_points
from nextwave_ingest.contents import doubts_of, wrapped_up
from nextwave_ingest.naming import spelt
from nextwave_ingest.occurrence import Occurrence
from nextwave_ingest.stops import HOLDING, VERDICT, WRAP_UP, fault_of_verdict, holds_of
from nextwave_ingest.wishes.hearing import as_heard, fault_of_words, kind_heard

EVENT_BYTES_MAX = 32 * 1024
BATCH_BYTES_MAX = 500 * 1024
ITEMS_MAX = 2500
"""Items of a batch. Clients send hundreds at most; each costs the event loop some 50 us, and a refused one leaves a record too."""
DEPTH_MAX = 64
TEXT_MAX = 256
"""Characters of an id, a type or a source."""
IDENTIFIERS_MAX = 16
POINTER_MAX = 100
SEPARATED = "identities.separated"
INTEGER_MAX = 2**63
_MANY_DIGITS = b"0" * 19
"""What an integer beyond 64 bits surely has once all digits are zeros; most data has none, and is not walked through."""
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(rb"[\[\]{}]")
_BODY_IDS = uuid.UUID("6f1d3a52-0a1e-5d43-9c3c-1b7d5a0e4f11")
_OF_THE_ATTEMPT = ("sentAt", "writeKey", "receivedAt", "_metadata")
"""Fields that may differ when a client repeats itself, and so are no part of what the body says."""
_UNSETTLED = frozenset({WITHDRAWN, GRANTED, ORDERED, WRAP_UP, SEPARATED, VERDICT, *CHANNEL_OF})
_objects = msgspec.json.Decoder(dict[str, Any])
_PATH = re.compile(r" - at `\$(.*)`$")
_PLAINLY = {
    "Input data was truncated": "the JSON is empty or ends too soon; send all of it",
    "Expected `object`, got `array`": "is a list; send one event, or the list as a batch (application/cloudevents-batch+json, /v1/batch)",
}
"""What a decoder says of a whole item, so that the fix is named."""


class RefusedError(ValueError):
    """The item can be no touchpoint: `pointer` names the wrong field, `detail` what to do."""

    def __init__(self, pointer: str, detail: str, reason: RejectCode = "invalid") -> None:
        super().__init__(detail)
        self.pointer = pointer[:POINTER_MAX]  # it has keys of the item, which may be of any length
        self.detail = detail
        self.reason: RejectCode = reason


class Accepted(Message, frozen=True, kw_only=True, gc=False):
    """A touchpoint on its way out: the JSON of `Touchpoint`, its data passed on byte for byte where nothing had to change."""

    id: str
    source: str
    type: str
    identifiers: tuple[str, ...]
    occurred_at: datetime
    received_at: datetime
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    claimed: bool = False
    time_suspect: bool = False


class Report(msgspec.Struct, frozen=True):
    """What a door understood of an item. `raw`: the bytes of `data` where the door left them; `explain`: a refusal in the item's words."""

    id: str
    source: str
    type: str
    identifiers: tuple[str, ...]
    occurrence: Occurrence
    data: dict[str, Any]
    raw: msgspec.Raw | None = None
    explain: Callable[[RefusedError], RefusedError] | None = None
    repeatable: bool = False
    """Nothing tells its words from the same ones sent again, so they grant nothing."""


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """A touchpoint and the holds that must be acknowledged with it."""

    touchpoint: Accepted
    holds: tuple[Hold, ...]
    distance: timedelta | None = None
    """How far the source's clock was from the reception (`Occurrence.distance`)."""
    doubts: tuple[tuple[str, str], ...] = ()
    """What may have been meant otherwise: a pointer, and what to do. It is taken all the same."""


class Refusal(msgspec.Struct, frozen=True):
    """An item that is no touchpoint, and why; by some rules of a mapping it may still be one."""

    item: bytes
    error: RefusedError
    others: tuple[RefusedError, ...] = ()


class Ignored(msgspec.Struct, frozen=True):
    """An item of which nothing is to be reported: why, and where that was found."""

    reason: IgnoreCode
    pointer: str
    detail: str


def judge(item: bytes, understand: Callable[[bytes], Report], received_at: datetime, blind: Callable[[str], str]) -> Admitted | Refusal:
    """Admits an item or says why not. `blind` is the keyed hash of an identifier."""
    report = None
    try:
        check_bounds(item)
        report = understand(item)
        return admit(report, received_at, blind)
    except RefusedError as error:
        return Refusal(item, error if report is None else in_its_words(report, error))


def admit(report: Report, received_at: datetime, blind: Callable[[str], str]) -> Admitted:
    """The touchpoint and its holds. Raises `RefusedError`."""
    kind, data = text("/type", report.type), report.data
    doubts = _doubts(kind, data) if kind not in TOUCHPOINT_TYPES or kind == WITHDRAWN else ()
    if kind in _UNSETTLED:
        data = _settled(kind := kind_heard(kind, data), report, blind)
    unchanged = report.raw is not None and data is report.data
    names = report.identifiers + contact_points(kind, data) if kind in TELLING else report.identifiers
    touchpoint = Accepted(
        id=text("/id", report.id),
        source=text("/source", report.source),
        type=kind,
        identifiers=names if len(names) == 1 else tuple(dict.fromkeys(names)),
        occurred_at=report.occurrence.at,
        received_at=received_at,
        data=(report.raw or msgspec.UNSET if unchanged else msgspec.Raw(encode(data))) if data else msgspec.UNSET,
        claimed=report.occurrence.claimed,
        time_suspect=report.occurrence.suspect,
    )
    return Admitted(touchpoint, holds_of(touchpoint, data, blind) if kind in HOLDING else (), report.occurrence.distance, doubts)


def in_its_words(report: Report, error: RefusedError) -> RefusedError:
    """A refusal as whoever sent the item understands it."""
    return error if report.explain is None else report.explain(error)


def check_bounds(item: bytes) -> None:
    """Refuses an item of more than 32 KB or nested deeper than 64."""
    if len(item) > EVENT_BYTES_MAX:
        raise RefusedError("", f"an event may have {EVENT_BYTES_MAX} bytes, this one has {len(item)}; leave large fields out", "too_large")
    check_depth(item)


def check_depth(item: bytes) -> None:
    """Refuses JSON nested deeper than 64."""
    if item.count(b"[") + item.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", item)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_MAX:
            raise RefusedError("", f"the event is nested deeper than {DEPTH_MAX}; flatten it")


def check_count(items: Sequence[object], pointer: str) -> None:
    """Refuses a batch of more than 2500 items, before anything is done for each of them."""
    if len(items) > ITEMS_MAX:
        raise RefusedError(pointer, f"a batch may have {ITEMS_MAX} items, this one has {len(items)}; send smaller batches", "too_large")


def data_object(raw: msgspec.Raw, pointer: str) -> dict[str, Any]:
    """The decoded object, so that whatever is passed on can surely be read and stored; absent or null is empty. Raises `RefusedError`."""
    if not (content := bytes(raw)) or content == b"null":
        return {}
    try:
        data = _objects.decode(content)
    except (ValueError, RecursionError) as wrong:
        raise RefusedError(pointer, f"must be a JSON object in UTF-8: {wrong}") from wrong
    if _MANY_DIGITS in content.translate(_ZEROS):
        _check_integers(data, pointer)
    return data


def _check_integers(data: dict[str, Any], pointer: str) -> None:
    """Refuses integers beyond 64 bits: JSON can say them, and nobody behind the door can store them."""
    waiting: list[tuple[str, Any]] = [(pointer, data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{place}/{key}", inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((f"{place}/{index}", inner) for index, inner in enumerate(value))
        elif isinstance(value, int) and abs(value) >= INTEGER_MAX:
            raise RefusedError(place, "an integer must fit in 64 bits with its sign; send longer numbers as text")


def text(pointer: str, value: str) -> str:
    """A short printable text. Raises `RefusedError`."""
    if 0 < len(value) <= TEXT_MAX and value.isprintable():
        return value  # nearly always; what is no more than unusual (a no-break space) is looked at letter by letter
    if not value:
        raise RefusedError(pointer, "is missing or empty")
    if len(value) > TEXT_MAX or _UNPRINTABLE.search(value):
        raise RefusedError(pointer, f"must have at most {TEXT_MAX} characters and no control characters")
    return value


def name_of(kind: str, value: str, pointer: str) -> str:
    """The identifier `kind:value` in normal form. Raises `RefusedError`."""
    text(pointer, value)
    try:
        return identifier(kind, value)
    except InvalidIdentifierError as wrong:
        raise RefusedError(pointer, str(wrong)) from wrong


def names_of(values: Iterable[str], pointer: str) -> tuple[str, ...]:
    """Identifiers given as `kind:value`, in normal form, each once. Raises `RefusedError`."""
    names: dict[str, None] = {}
    for index, value in enumerate(values):
        if index >= IDENTIFIERS_MAX:
            raise RefusedError(pointer, f"at most {IDENTIFIERS_MAX} identifiers")
        try:
            names[parse(text(f"{pointer}/{index}", value))] = None
        except InvalidIdentifierError as wrong:
            raise RefusedError(f"{pointer}/{index}", str(wrong)) from wrong
    return tuple(names)


def body_id(item: bytes) -> str:
    """UUIDv5 of what the item says: sorted keys, no white space, without what belongs to the attempt. Raises `RefusedError`."""
    try:
        whole = _objects.decode(item)
    except (ValueError, RecursionError) as wrong:
        raise misfit(wrong) from wrong
    said = {key: value for key, value in whole.items() if key not in _OF_THE_ATTEMPT}
    return str(uuid.uuid5(_BODY_IDS, msgspec.json.encode(said, order="sorted").decode()))


def misfit(error: Exception, prefix: str = "") -> RefusedError:
    """A decoder's complaint as a refusal that points at the field; a refusal stays as it is."""
    if isinstance(error, RefusedError):
        return error
    said = str(error)
    path = _PATH.search(said)
    pointer = path.group(1).replace(".", "/").replace("[", "/").replace("]", "") if path else ""
    return RefusedError(prefix + pointer, _PLAINLY.get(said, _PATH.sub("", said)))


def _settled(kind: str, report: Report, blind: Callable[[str], str]) -> dict[str, Any]:
    data = report.data
    if fault := fault_of(kind, data):
        raise RefusedError(*fault)
    if kind in (WITHDRAWN, GRANTED):
        return scoped(data)
    if kind == WRAP_UP:
        return wrapped_up(data)
    if kind == SEPARATED:
        _check_leaving(data.get("identifiers"))
    if kind == VERDICT and (fault := fault_of_verdict(data, report.identifiers, blind)):
        raise RefusedError(*fault)
    return _heard(kind, report, blind) if kind in CHANNEL_OF else data


def _heard(kind: str, report: Report, blind: Callable[[str], str]) -> dict[str, Any]:
    said_by = blind(strongest(report.identifiers))
    heard = as_heard(kind, report.data, f"{report.source}\0{report.id}", said_by, grants=not report.repeatable)
    if fault := fault_of_words(kind, heard):
        raise RefusedError(*fault)
    return heard


def _doubts(kind: str, data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What to tell the sender. Raises `RefusedError` for a type of ours in other letters."""
    if meant := spelt(kind):
        raise RefusedError("/type", f"types are in small letters: write {meant}")
    return doubts_of(kind, data)


def _check_leaving(names: Any) -> None:
    if not names or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RefusedError("/data/identifiers", "list the names that leave as kind:value, for example anonymous_id:d9")
    names_of(names, "/data/identifiers")
