"""What a campaign's document says of waves, read plainly: which event is which, and which wave comes after which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from nextwave_contracts.customers import CustomerUpdated
from unit.simulation.history import Rules

Document = Mapping[str, Any]


def event_of(update: CustomerUpdated) -> tuple[str, Mapping[str, Any]]:
    """Type and data of what happened; of an outcome its kind and whose it is."""
    if update.touchpoint is not None:
        return update.touchpoint.type, update.touchpoint.data
    if update.outcome is not None:
        return f"outcome.{update.outcome.kind}", {"action_id": update.outcome.action_id}
    return "", {}


def is_history(update: CustomerUpdated) -> bool:
    """Whether its time is so far off that it moves nothing."""
    return update.touchpoint is not None and update.touchpoint.time_suspect


def is_one_of(written: Document, update: CustomerUpdated) -> bool:
    """Whether the update is one of these events; `{}` is none."""
    kind, data = event_of(update)
    tests = written.get("any", [written] if written else [])
    return any(
        kind == test.get("event") and all(data.get(name) == value for name, value in test.get("where", {}).items()) for test in tests
    )


def enters(document: Document, update: CustomerUpdated) -> bool:
    """Whether the update lets a customer in."""
    on = document["entry"]["on"]
    if "entered" in on:
        return any(change.after in on["entered"].get(change.field, ()) and change.before != change.after for change in update.changes)
    return is_one_of(on, update)


def let_in(rules: Rules, update: CustomerUpdated) -> Iterator[tuple[str, str]]:
    """The live campaigns that the update lets customers into, each with the matter (empty without a key)."""
    for campaign, version in rules.live.items() if not is_history(update) else ():
        document = rules.campaigns[campaign, version]
        name = document["entry"].get("key", "")
        key = event_of(update)[1].get(name) if name else ""
        if key is not None and enters(document, update):
            yield campaign, str(key)


def concerns(document: Document, entry_key: str, actions: set[str], update: CustomerUpdated) -> bool:
    """Whether the update is about this run: a contact that it names is the run's, else a matter that it names is the run's."""
    _, data = event_of(update)
    if data.get("action_id"):
        return data["action_id"] in actions
    return is_same_matter(document, entry_key, data)


def is_same_matter(document: Document, entry_key: str, data: Mapping[str, Any]) -> bool:
    """Whether the event is about the run's order, as far as it says so."""
    field = document["entry"].get("key", "")
    return not field or field not in data or str(data[field]) == entry_key


def next_wave(document: Document, after: str, *, responded: bool, reach: str) -> str:
    """The wave that follows, empty for none."""
    for wave in document["waves"]:
        enter = wave.get("enter", {})
        if enter.get("after") != after:
            continue
        if "on" in enter:
            if not responded and reach in enter["on"]:
                return str(wave["key"])
        elif reach != "refused" and not (responded and enter.get("unless") == "responded"):
            return str(wave["key"])
    return ""


def wave_of(document: Document, key: str) -> Document:
    """The wave's document."""
    found: Document = next(wave for wave in document["waves"] if wave["key"] == key)
    return found


def is_within(start: datetime, at: datetime, end: datetime) -> bool:
    """Half open."""
    return start <= at < end
