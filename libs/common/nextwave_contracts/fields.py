"""The published catalogue of profile fields: what rules may ask and templates may show, each with type, meaning and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nextwave_contracts.customers import Band, Cell, Snapshot, Stage

FieldType = Literal["number", "text", "flag", "instant", "list", "any"]
"""`any` is a trait: its type is known only when it is read. Instants are `datetime`, lists are tuples of text."""

Read = Callable[[Snapshot], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `read` is total: it gives None where nothing is known. `values` lists all values where they are few."""

    path: str
    type: FieldType
    meaning: str
    read: Read
    values: tuple[str, ...] = ()


FIELDS: tuple[Field, ...] = (
    Field("churn.risk", "number", "probability 0..1 that the customer will not come back within the horizon", lambda p: p.churn.risk),
    Field("churn.band", "text", "band of the churn risk", lambda p: p.churn.band, get_args(Band)),
    Field("churn.horizon_days", "number", "days that the churn risk looks ahead", lambda p: p.churn.horizon_days),
    Field("stage", "text", "where the relationship stands", lambda p: p.stage, get_args(Stage)),
    Field("value.cell", "text", "value cell: current by potential value, each low or high", lambda p: p.value.cell, get_args(Cell)),
    Field("value.current", "number", "current value over the horizon, minor units", lambda p: p.value.current),
    Field("value.potential", "number", "what buying more, buying wider and referrals could add, minor units", lambda p: p.value.potential),
    Field("value.currency", "text", "currency of the values, ISO 4217", lambda p: p.value.currency or None),
    Field("orders.count", "number", "orders so far", lambda p: p.orders.count),
    Field("orders.revenue", "number", "sum of all orders, minor units", lambda p: p.orders.revenue),
    Field("orders.currency", "text", "currency of the orders, ISO 4217", lambda p: p.orders.currency or None),
    Field("orders.first_at", "instant", "first order", lambda p: p.orders.first_at),
    Field("orders.last_at", "instant", "last order", lambda p: p.orders.last_at),
    Field("orders.interval_days", "number", "mean days between orders; missing before the second order", lambda p: p.orders.interval_days),
    Field("first_seen_at", "instant", "first touchpoint", lambda p: p.first_seen_at),
    Field("last_seen_at", "instant", "last touchpoint", lambda p: p.last_seen_at),
    Field("satisfaction", "number", "last known satisfaction, 1..5; missing while the customer never rated", lambda p: p.satisfaction),
    Field("open_complaints", "number", "complaints that are not resolved", lambda p: p.open_complaints),
    Field("unsatisfied", "flag", "a matter is open or was closed without satisfaction", lambda p: p.unsatisfied),
    Field("refusals", "number", "refused contacts so far", lambda p: p.refusals),
    Field(
        "channels", "list", "channels with a usable contact point", lambda p: tuple(c.channel for c in p.contact_points if not c.bounced)
    ),
    Field("holds", "list", "kinds of the holds in force", lambda p: tuple(h.kind for h in p.holds)),
    Field("zones", "list", "candidate IANA time zones", lambda p: p.zones),
    Field("country", "text", "country, ISO 3166-1 alpha-2", lambda p: p.country or None),
    Field("region", "text", "region within the country, ISO 3166-2 without the country", lambda p: p.region or None),
    Field("language", "text", "language, BCP 47", lambda p: p.language or None),
    Field("activity.<subject>", "number", "touchpoints of a subject, decayed over 30 days; 0 for a subject never seen", lambda _: None),
    Field("traits.<name>", "any", "what the customer, or a system about the customer, has told; dots reach into objects", lambda _: None),
)
"""Everything that can be asked. `<subject>` and `<name>` stand for any word: `activity.web`, `traits.plan`, `traits.address.city`."""

_BY_PATH: Mapping[str, Field] = {f.path: f for f in FIELDS if "<" not in f.path}
_OPEN: Mapping[str, Field] = {f.path.partition("<")[0]: f for f in FIELDS if "<" in f.path}


def field(path: str) -> Field:
    """The field of a path as rules write it. Raises `KeyError` when there is none."""
    known = _BY_PATH.get(path)
    if known is not None:
        return known
    head, _, rest = path.partition(".")
    form = _OPEN[head + "."]
    if not rest or "" in rest.split("."):
        raise KeyError(path)
    return Field(path, form.type, form.meaning, _activity(rest) if head == "activity" else _trait(tuple(rest.split("."))))


def reach(data: Any, steps: tuple[str, ...]) -> Any:
    """What lies at the end of `steps` in nested objects, None where the way breaks off."""
    for step in steps:
        if not isinstance(data, Mapping):
            return None
        data = data.get(step)
    return data


def _activity(subject: str) -> Read:
    return lambda profile: profile.activity.get(subject, 0.0)


def _trait(steps: tuple[str, ...]) -> Read:
    whole = ".".join(steps)
    return lambda profile: profile.traits[whole] if whole in profile.traits else reach(profile.traits, steps)
