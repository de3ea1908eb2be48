"""Where in a sender's item our fields are read: whoever is told that one of ours is wrong knows only theirs. PURE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nextwave_contracts.faults import step

from nextwave_ingest.admission import RefusedError
from nextwave_ingest.mappings.document import Rule
from nextwave_ingest.mappings.paths import Path, PathError

SHOWN_MAX = 40
"""Characters of a value that is told."""
_WRITTEN_MAX = 80
_PLACES_MAX = 4


class Origin(NamedTuple):
    """`written`: the paths and Liquid of a value, as the mapping has them; `pointer`: into the item, where one path leads to one value."""

    written: str
    pointer: str


def origins_of(rule: Rule) -> dict[str, Origin]:
    """By the pointer of a field of ours (`/data/amount`), for those that are read of an item."""
    fields = {f"/{name}": getattr(rule, name) for name in ("type", "id", "occurred_at", "sent_at")}
    fields |= {f"/identifiers{step(kind)}": value for kind, value in rule.identifiers.items()}
    fields |= {f"/data{step(name)}": value for name, value in rule.data.items()}
    return {at: _origin(places) for at, value in fields.items() if (places := list(places_of(value)))}


def explained(error: RefusedError, origins: Mapping[str, Origin], about: str) -> RefusedError:
    """What is wrong with a field of ours, in the words of the sender. `about` says by which rule."""
    at = error.pointer
    while at and at not in origins:
        at = at.rpartition("/")[0]
    if not at:
        return RefusedError(error.pointer, f"{about}: {error.detail}", error.reason)
    field, origin = at[1:].replace("/", "."), origins[at]
    return RefusedError(origin.pointer, f"{about}: {field}, from {origin.written}: {error.detail}", error.reason)


def shown(value: Any) -> str:
    """A value of an item in quotes, which readers without need do not see."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return f'"{str(value)[:SHOWN_MAX]}"'


def places_of(value: Any) -> Iterator[str]:
    """The paths into the item and the Liquid of a value as it is written; of a function those of what it is about."""
    match value:
        case str() if value.startswith("$") or "{{" in value or "{%" in value:
            yield value
        case {"each": one} | {"e164": one} | {"local_time": one} | {"minor_units": one} | {"table": _, "key": one}:
            yield from places_of(one)
        case dict():
            for one in value.values():
                yield from places_of(one)
        case list():
            for one in value:
                yield from places_of(one)


def _origin(places: list[str]) -> Origin:
    written = " or ".join(f'"{place:.{_WRITTEN_MAX}}"' for place in places[:_PLACES_MAX])
    try:
        path = Path(places[0]) if len(places) == 1 else None
    except PathError:  # Liquid
        path = None
    return Origin(written, path.pointer if path is not None and path.steps is not None else "")
