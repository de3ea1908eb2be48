"""What a touchpoint is given of an item: literals, paths, Liquid and a few functions, read once and then asked for every item. PURE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from liquid.exceptions import LiquidError
from msgspec import UNSET
from nextwave_contracts.faults import Fault, step
from nextwave_contracts.identifiers import InvalidIdentifierError, identifier, value_of

from nextwave_ingest.amounts import minor_units
from nextwave_ingest.mappings.moments import moment, zone_of
from nextwave_ingest.mappings.paths import CHOICES_MAX, MANY_WAYS, VALUES_MAX, Path, PathError
from nextwave_ingest.mappings.rendered import ENVIRONMENT, render
from nextwave_ingest.mappings.tables import Table
from nextwave_ingest.occurrence import UnreadableTimeError

Value = Callable[[Any], Any]
"""Asked with an item, it gives the value, or `UNSET` where the item has none.
It raises `RefusedError` alone: for wrong money, contrary codes or effort."""
Fields = Callable[[Any], dict[str, Any]]
WRITTEN_MAX = 500
"""Values and conditions of one mapping."""
DESCENTS_MAX = 4
"""`..` of one mapping: each walks through the whole item."""
MERGED = "*"
"""The name under which an object's fields are laid into the object around."""
_PATH_FIX = "write a JSONPath of RFC 9535, for example $.detail.queue or $['two words']"
_WAYS_FIX = "choose fewer, or write each way in full: within each they multiply"
_ZONE_FIX = "write the name of a time zone as the IANA database has it, for example Europe/Berlin"
_LIQUID_FIX = "write Liquid over item, for example {{ item.id }}"
_left: ContextVar[int] = ContextVar("elements that the each under way may still look at, with each within it", default=0)
_Builder = Callable[["Reader", Mapping[str, Any], str], Value]


class Reader:
    """Reads the values of one mapping and gathers what is wrong with them in `faults`."""

    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self.faults: list[Fault] = []
        self.tables = {name: Table(entries) for name, entries in tables.items()}
        self._read = 0
        self.descents = 0
        self.ways = 1
        """How often one value may be selected by the paths of each `each` around."""
        self.within = 0
        """How many these are."""

    def value(self, written: Any, at: str) -> Value:
        """The value that is written at the pointer `at`."""
        if written is not None:
            self.count(at)
        match written:
            case str() if written.startswith("$"):
                return self._asked(written, at)
            case str() if "{{" in written or "{%" in written:
                return self._rendered(written, at)
            case Mapping():
                return self._object(written, at)
            case list() | tuple():
                return _list([self.value(one, f"{at}/{n}") for n, one in enumerate(written)])
            case None:
                return _nothing
            case _:
                return lambda _: written

    def count(self, at: str) -> None:
        """Counts a value or condition."""
        self._read += 1
        if self._read == WRITTEN_MAX + 1:
            self.fault(at, f"this is more than {WRITTEN_MAX} values and conditions", "split the mapping: a source may use several")

    def path(self, written: Any, at: str) -> Path | None:
        """The path, or a fault."""
        try:
            path = Path(written if isinstance(written, str) else "")
        except PathError as wrong:
            self.fault(at, f"{str(written)!r:.80} is no path that can be used: {wrong}", _PATH_FIX)
            return None
        if 1 < path.choices > CHOICES_MAX // self.ways:
            self.fault(at, MANY_WAYS, _WAYS_FIX)
        self.descents += path.descends
        if path.descends and self.descents > DESCENTS_MAX:
            self.fault(at, f"this is more than {DESCENTS_MAX} times '..' in one mapping", "write the way in full, like $.order.lines")
        return path

    def fields(self, written: Mapping[str, Any], at: str) -> Fields:
        """An object's fields, those without a value left out, those of `*` laid in where they have no value of their own."""
        values = {name: self.value(one, at + step(name)) for name, one in written.items()}
        merged = values.pop(MERGED, None)

        def gather(item: Any) -> dict[str, Any]:
            found = {name: value for name, one in values.items() if (value := one(item)) is not UNSET}
            more = merged(item) if merged is not None else None
            return {**more, **found} if isinstance(more, dict) else found

        return gather

    def fault(self, at: str, detail: str, fix: str) -> None:
        """Notes what is wrong."""
        self.faults.append(Fault(at, detail, fix))

    def _asked(self, written: str, at: str) -> Value:
        path = self.path(written, at)
        return path.value if path is not None else _nothing

    def _rendered(self, written: str, at: str) -> Value:
        try:
            template = ENVIRONMENT.from_string(written)
            used = template.analyze(include_partials=False)
        except (LiquidError, RecursionError, ValueError) as wrong:
            self.fault(at, f"Liquid: {str(wrong).partition(chr(10))[0]:.200}", _LIQUID_FIX)
            return _nothing
        for name in sorted(set(used.filters) - set(ENVIRONMENT.filters)):
            self.fault(at, f"there is no filter {name}", "use one of " + ", ".join(sorted(ENVIRONMENT.filters)))
        for name in sorted(set(used.globals) - {"item"}):
            self.fault(at, f"there is no {name}", _LIQUID_FIX)
        return lambda item: render(template, written, item)

    def _object(self, written: Mapping[str, Any], at: str) -> Value:
        for word, (others, build) in FUNCTIONS.items():
            if word in written:
                unknown = sorted(set(written) - {word, *others})
                lacking = sorted(name for name, needed in others.items() if needed and name not in written)
                if unknown or lacking:
                    self.fault(
                        at, f"{word} does not take {', '.join(unknown)}" if unknown else f"{word} needs {', '.join(lacking)}", _form(word)
                    )
                    return _nothing
                return build(self, written, at)
        return self.fields(written, at)


def _nothing(_: Any) -> Any:
    return UNSET


def _list(values: list[Value]) -> Value:
    return lambda item: [value for one in values if (value := one(item)) is not UNSET]


def _seconds_between(reader: Reader, written: Mapping[str, Any], at: str) -> Value:
    pair, at = written["seconds_between"], at + "/seconds_between"
    if not isinstance(pair, list) or len(pair) != 2:
        reader.fault(at, "needs a beginning and an end", 'write ["$.began", "$.ended"]')
        return _nothing
    began, ended = (reader.value(one, f"{at}/{n}") for n, one in enumerate(pair))

    def measured(item: Any) -> Any:
        try:
            seconds = (moment(ended(item)) - moment(began(item))).total_seconds()
        except UnreadableTimeError:
            return UNSET
        if seconds < 0:
            return UNSET
        return int(seconds) if seconds.is_integer() else round(seconds, 3)

    return measured


def _local_time(reader: Reader, written: Mapping[str, Any], at: str) -> Value:
    local, zone = reader.value(written["local_time"], at + "/local_time"), zone_of(written["zone"])
    if zone is None:
        reader.fault(at + "/zone", f"{written['zone']!r:.80} is no time zone", _ZONE_FIX)
        return _nothing

    def read(item: Any) -> Any:
        said = local(item)
        try:
            return moment(said, zone).isoformat()
        except UnreadableTimeError:
            return said  # it is refused where it stands, with what it says

    return read


def _looked_up(reader: Reader, written: Mapping[str, Any], at: str) -> Value:
    table = reader.tables.get(str(written["table"]))
    if table is None:
        reader.fault(
            at + "/table",
            f"there is no table {written['table']!r:.80}",
            f"use one of: {', '.join(reader.tables) or 'none yet; add tables'}",
        )
        return _nothing
    key = reader.value(written["key"], at + "/key")

    return lambda item: table.look_up(key(item), at)


def _money(reader: Reader, written: Mapping[str, Any], at: str) -> Value:
    amount, currency = reader.value(written["minor_units"], at + "/minor_units"), reader.value(written["currency"], at + "/currency")

    def count(item: Any) -> Any:
        paid, code = amount(item), currency(item)
        return UNSET if paid is UNSET or not isinstance(code, str) else minor_units(paid, code.strip().upper(), at)

    return count


def _number(reader: Reader, written: Mapping[str, Any], at: str) -> Value:
    number, country = reader.value(written["e164"], at + "/e164"), reader.value(written.get("country"), at + "/country")

    def dial(item: Any) -> Any:
        digits, region = number(item), country(item)
        try:
            return value_of(identifier("phone", digits, region=region.upper() if isinstance(region, str) and len(region) == 2 else None))
        except (InvalidIdentifierError, AttributeError, TypeError):
            return UNSET

    return dial


def _first_of(reader: Reader, written: Mapping[str, Any], at: str) -> Value:
    several, at = written["first_of"], at + "/first_of"
    if not isinstance(several, list) or not several:
        reader.fault(at, "needs a list of values", 'write ["$.one", "$.other"]')
        return _nothing
    values = [reader.value(one, f"{at}/{n}") for n, one in enumerate(several)]
    return lambda item: next((value for one in values if (value := one(item)) is not UNSET), UNSET)


def _each(reader: Reader, written: Mapping[str, Any], at: str) -> Value:
    path, descents, ways, is_outermost = reader.path(written["each"], at + "/each"), reader.descents, reader.ways, not reader.within
    reader.ways *= path.choices if path is not None else 1
    reader.within += 1
    give = reader.value(written["give"], at + "/give")
    reader.within -= 1
    reader.ways = ways
    if reader.descents > descents:
        reader.fault(at + "/give", "'..' would walk through every value again", "write the way in full, like $.order.lines")
    if path is None:
        return _nothing

    def all_of(item: Any) -> Any:
        if is_outermost:
            _left.set(VALUES_MAX)
        found, given = path.values(item), []
        for one in found[0] if len(found) == 1 and isinstance(found[0], list) else found:
            if not (left := _left.get()):
                break
            _left.set(left - 1)
            if (value := give(one)) is not UNSET:
                given.append(value)
        return given or UNSET

    return all_of


FUNCTIONS: Mapping[str, tuple[Mapping[str, bool], _Builder]] = {
    "seconds_between": ({}, _seconds_between),
    "local_time": ({"zone": True}, _local_time),
    "table": ({"key": True}, _looked_up),
    "minor_units": ({"currency": True}, _money),
    "e164": ({"country": False}, _number),
    "first_of": ({}, _first_of),
    "each": ({"give": True}, _each),
}
"""By the word that makes an object a function: its other words and whether they are needed, and how it is read."""


def _form(word: str) -> str:
    return "write {" + ", ".join(f"{name}: ..." for name in (word, *FUNCTIONS[word][0])) + "}"
