"""A mapping in force: the items of a body, and what each of them reports. PURE."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET
from nextwave_contracts.faults import raise_any, step
from nextwave_contracts.identifiers import KINDS, InvalidIdentifierError, identifier
from nextwave_contracts.messages_in import CHANNEL_OF, TEXT_FIELDS, words_in
from nextwave_contracts.reasons import RejectCode

from nextwave_ingest.admission import (
    BATCH_BYTES_MAX,
    EVENT_BYTES_MAX,
    IDENTIFIERS_MAX,
    ITEMS_MAX,
    TEXT_MAX,
    Ignored,
    RefusedError,
    Report,
    body_id,
    check_bounds,
    check_count,
    data_object,
)
from nextwave_ingest.mappings.bodies import read_body
from nextwave_ingest.mappings.conditions import Conditions, conditions
from nextwave_ingest.mappings.cutting import cut_to_fit
from nextwave_ingest.mappings.document import Document, Rule
from nextwave_ingest.mappings.effort import LongError, Meter, measured
from nextwave_ingest.mappings.ignoring import why_ignored
from nextwave_ingest.mappings.moments import moment
from nextwave_ingest.mappings.origins import Origin, explained, origins_of, shown
from nextwave_ingest.mappings.paths import Path
from nextwave_ingest.mappings.seeing import HEADERS, header, seen, with_headers
from nextwave_ingest.mappings.values import Fields, Reader, Value
from nextwave_ingest.occurrence import Occurrence, UnreadableTimeError, occurrence
from nextwave_ingest.untimed import unnamed, untimed

FAILED: RejectCode = "fold_failed"
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_TYPE_FIX = "write subject.past_tense, for example call.ended, or a value of the item"


class NoItemsError(RefusedError):
    """Nobody can tell the items. `body` is all that came, as an item would be kept: the mapping may be mended."""

    def __init__(self, why: RefusedError, body: bytes) -> None:
        super().__init__(why.pointer, why.detail, why.reason)
        self.body = body


@dataclass(frozen=True, slots=True)
class _Reading:
    """A rule, read. `at` is its pointer in the document, `name` that and the mapping's name."""

    at: str
    name: str
    origins: Mapping[str, Origin]
    conditions: Conditions
    type: Value
    id: Value
    occurred_at: Value
    sent_at: Value
    identifiers: Mapping[str, Value]
    data: Fields

    def explained(self, error: RefusedError) -> RefusedError:
        """What is wrong with a field of ours or a value of the rule, told with the sender's own."""
        at = RefusedError(error.pointer.removeprefix(self.at), error.detail, error.reason)
        return explained(at, self.origins, self.name)


class Compiled:
    """A mapping that was checked. `document` is what was written, with what it extends."""

    def __init__(self, document: Document) -> None:
        """Raises `FaultyError` with everything that is wrong with its values."""
        reader = Reader(document.tables)
        self.document = document
        self._items = reader.path(document.items, "/items") or Path("$")
        self._rules = [_reading(rule, reader, f"/touchpoints/{n}", document.name) for n, rule in enumerate(document.touchpoints)]
        raise_any(reader.faults)

    @property
    def name(self) -> str:
        """As it stands in URLs."""
        return self.document.name

    def items(
        self, body: bytes, content_type: str = "", headers: Mapping[bytes, bytes] | None = None, meter: Meter | None = None
    ) -> list[bytes]:
        """The items of a request as JSON, with the headers that the mapping asks for. Raises `RefusedError` and `NoItemsError`.

        What it takes is measured as that of an item; an impatient `meter` raises `LongError` instead.
        """
        given = {name.lower(): header(headers, name) for name in self.document.headers} if headers else {}
        with measured(meter or Meter()):
            return self._items_in(read_body(self.document.body, body, content_type), given, max(len(body), BATCH_BYTES_MAX))

    def items_kept(self, body: bytes) -> list[bytes]:
        """The items of what a `NoItemsError` kept. Raises as `items`."""
        whole = msgspec.json.decode(body)
        given = whole.get(HEADERS) if self.document.headers and isinstance(whole, dict) else None
        with measured(Meter()):
            return self._items_in(whole, given or {}, BATCH_BYTES_MAX)

    def _items_in(self, body: Any, headers: Mapping[str, str], room: int) -> list[bytes]:
        try:
            values = self._found_in(body)
        except RefusedError as why:
            raise NoItemsError(why, msgspec.json.encode(with_headers(body, headers))) from why
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        check_count(items, self._items.pointer)
        return _encoded(items, headers, room)

    def _found_in(self, body: Any) -> list[Any]:
        """What the path to the items leads to. Raises `RefusedError` where it breaks off, or takes too much effort."""
        about, path = f"mapping {self.name}, /items", self._items
        try:
            values = path.values(body, ITEMS_MAX + 1)
            if values or not path.breaks_off(body):
                return values
        except RefusedError as spent:
            raise RefusedError(path.pointer, f"{about}: {spent.detail}", spent.reason) from spent
        raise RefusedError(path.pointer, f'{about}: nothing lies at "{path.written:.80}"; correct this path, or send its items there')

    def understand_all(
        self,
        item: bytes,
        *,
        source: str,
        received_at: datetime,
        meter: Meter | None = None,
        ignored: Callable[[Ignored], Any] = lambda _: None,
    ) -> list[Report | RefusedError]:
        """What an item reports by each rule that holds, or why that is no touchpoint; empty where the item is to be
        ignored, and `ignored` is told why.

        `meter` measures what the items of one body take; an impatient one raises `LongError`.
        """
        try:
            values = seen(item)
        except RefusedError as error:
            return [error]
        with measured(meter := meter or Meter()):
            meter.at_an_item()
            told = [self._understood(rule, item, values, (source, received_at)) for rule in self._rules]
            found = [one for one in told if not isinstance(one, int)]
            if found or self.document.unmatched == "reject":
                return found or [RefusedError("", f"no rule of the mapping {self.name} fits")]
            ignored(self._why_ignored([one for one in told if isinstance(one, int)], values))
        return []

    def _why_ignored(self, failing: list[int], item: Any) -> Ignored:
        """By the rule that came closest: the first of those that failed at their last condition."""
        place = max(failing)
        return why_ignored(self._rules[failing.index(place)].conditions.path(place), item, self.name)

    def _understood(self, rule: _Reading, item: bytes, seen: Any, taken: tuple[str, datetime]) -> Report | RefusedError | int:
        """What a rule makes of an item, or the place of the first condition that does not hold.

        An error of ours costs this one alone; its text may hold a value.
        """
        try:
            failing = rule.conditions.failing(seen)
            return _report(rule, item, seen, taken) if failing is None else failing
        except RefusedError as error:
            return rule.explained(error)
        except LongError:
            raise
        except Exception as wrong:  # noqa: BLE001
            place = traceback.extract_tb(wrong.__traceback__)[-1]
            at = f"{type(wrong).__name__} in {place.name}, line {place.lineno}"
            return RefusedError("", f"{rule.name}: {at}: this is our fault; try it again with the next version", FAILED)


def _encoded(items: Sequence[Any], headers: Mapping[str, str], room: int) -> list[bytes]:
    """The items as JSON, each with the headers. Raises `RefusedError` when all are more bytes than there is room."""
    encoded = []
    for item in items:
        one = msgspec.json.encode(with_headers(item, headers))
        room -= len(one)
        if room < 0:
            raise RefusedError("", "with their headers these items are larger than a body may be; send smaller batches", "too_large")
        encoded.append(one)
    return encoded


def _report(rule: _Reading, item: bytes, seen: Any, taken: tuple[str, datetime]) -> Report:
    source, received_at = taken
    kind, data = _text(rule.type(seen)), rule.data(seen)
    if kind in CHANNEL_OF and not words_in(data):
        data |= _said_empty(rule, item)
    raw = msgspec.json.encode(data)
    if len(raw) > EVENT_BYTES_MAX and kind in CHANNEL_OF:  # a stop is heard however much stands behind it
        data = cut_to_fit(data)
        raw = msgspec.json.encode(data)
    check_bounds(raw)
    named = name if 0 < len(name := _text(rule.id(seen))) <= TEXT_MAX else ""
    report = Report(
        id=named or f"{body_id(item)}/{kind}",
        source=source,
        type=kind,
        identifiers=_names(rule, seen),
        occurrence=Occurrence(received_at, suspect=False),
        data=data,
        raw=msgspec.Raw(raw),
        explain=rule.explained,
    )
    try:
        happened = occurrence(_time("occurred_at", rule.occurred_at(seen)), _time("sent_at", rule.sent_at(seen)), received_at)
    except RefusedError as fault:
        report, happened = untimed(report, fault), report.occurrence
    report = msgspec.structs.replace(report, occurrence=happened)
    return report if named else unnamed(report)


def _said_empty(rule: _Reading, item: bytes) -> dict[str, Any]:
    """The empty texts of which the item itself says that they are empty, as of a photo. Without one nobody knows whether it was a stop."""
    whole = rule.data(data_object(msgspec.Raw(item), ""))
    return {field: "" for field in TEXT_FIELDS if field in whole and whole[field] in (None, "")}


def _time(field: str, value: Any) -> datetime | None:
    """Raises `RefusedError`."""
    try:
        return None if value is UNSET else moment(value)
    except UnreadableTimeError as wrong:
        raise RefusedError(f"/{field}", f"{shown(value)} {wrong}") from wrong


def _names(rule: _Reading, seen: Any) -> tuple[str, ...]:
    """The identifiers that can be read. Systems write `anonymous` where they know no number, so the others count. Raises `RefusedError`."""
    names: dict[str, None] = {}
    at, wrong = "", "it has none of " + ", ".join(_from(rule, kind) for kind in rule.identifiers)
    for kind, value in rule.identifiers.items():
        found = value(seen)
        for one in found if isinstance(found, list) else [found]:
            if not (written := _text(one)):
                continue
            try:
                names[identifier(kind, written)] = None
            except InvalidIdentifierError as invalid:
                at, wrong = f"/identifiers/{kind}", str(invalid)
    if not names:
        raise RefusedError(at, f"the item names no customer: {wrong}")
    return tuple(names)[:IDENTIFIERS_MAX]


def _from(rule: _Reading, kind: str) -> str:
    origin = rule.origins.get(f"/identifiers/{kind}")
    return kind if origin is None else f"{kind} ({origin.written})"


def _text(value: Any) -> str:
    """A text or number as text; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _reading(rule: Rule, reader: Reader, at: str, mapping: str) -> _Reading:
    if isinstance(rule.type, str) and not rule.type.startswith("$") and "{" not in rule.type and not _TYPE.fullmatch(rule.type):
        reader.fault(at + "/type", f"{rule.type!r:.80} is no type", _TYPE_FIX)
    if not rule.identifiers:
        reader.fault(at + "/identifiers", "names no customer", "name one, for example {phone: $.From}")
    for kind in rule.identifiers:
        if kind not in KINDS:
            reader.fault(at + "/identifiers" + step(kind), f"there is no kind {kind!r:.40}", "use one of " + ", ".join(KINDS))
    read: Callable[[str], Value] = lambda field: reader.value(getattr(rule, field), f"{at}/{field}")  # noqa: E731
    return _Reading(
        at=at,
        name=f"mapping {mapping}, {at}",
        origins=origins_of(rule),
        conditions=conditions(rule.when, reader, at + "/when"),
        type=read("type"),
        id=read("id"),
        occurred_at=read("occurred_at"),
        sent_at=read("sent_at"),
        identifiers={kind: reader.value(value, f"{at}/identifiers{step(kind)}") for kind, value in rule.identifiers.items()},
        data=reader.fields(rule.data, at + "/data"),
    )
