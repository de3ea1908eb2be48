"""The published catalogue of profile fields: what rules may ask and templates may show, each with type, meaning and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nextwave_contracts.customers import Band, Cause, Cell, DeclineSign, Pattern, Snapshot, Stage

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


INDICATORS = ("satisfaction", "complaints_solved", "response", "tenure", "breadth")
"""Of the relationship score."""

FIELDS: tuple[Field, ...] = (
    Field("churn.risk", "number", "probability 0..1 that the customer will not come back within the horizon", lambda p: p.churn.risk),
    Field("churn.band", "text", "band of the churn risk", lambda p: p.churn.band, get_args(Band)),
    Field("churn.horizon_days", "number", "days that the churn risk looks ahead", lambda p: p.churn.horizon_days),
    Field("stage", "text", "where the relationship stands", lambda p: p.stage, get_args(Stage)),
    Field("value.cell", "text", "value cell: current by potential value, each low or high", lambda p: p.value.cell, get_args(Cell)),
    Field("value.current", "number", "current value over the horizon, minor units", lambda p: p.value.current),
    Field("value.potential", "number", "what buying more, buying wider and referrals could add, minor units", lambda p: p.value.potential),
    Field("value.currency", "text", "currency of the values, ISO 4217", lambda p: p.value.currency or None),
    Field("value.margin", "number", "part of value.current: expected margin, minor units", lambda p: p.value.margin),
    Field(
        "value.service_cost",
        "number",
        "part of value.current, taken off: expected cost of calls and service",
        lambda p: p.value.service_cost,
    ),
    Field(
        "value.contact_cost", "number", "part of value.current, taken off: expected cost of our contacts", lambda p: p.value.contact_cost
    ),
    Field("value.up_buying", "number", "part of value.potential: more of what is bought already, minor units", lambda p: p.value.up_buying),
    Field(
        "value.cross_buying", "number", "part of value.potential: categories not bought yet, minor units", lambda p: p.value.cross_buying
    ),
    Field("value.referrals", "number", "part of value.potential: customers by recommendation, minor units", lambda p: p.value.referrals),
    Field(
        "value.share_of_wallet",
        "number",
        "share 0..1 of yearly spending that comes to us; missing without a wallet",
        lambda p: p.value.share_of_wallet,
    ),
    Field(
        "course.reached",
        "text",
        "stage without the signs of decline",
        lambda p: p.course.reached,
        ("exploration", "formation", "stability"),
    ),
    Field("course.signs", "list", "what speaks for decline: " + ", ".join(get_args(DeclineSign)), lambda p: p.course.signs),
    Field("course.tenure_days", "number", "days from the first order or contract to the last", lambda p: p.course.tenure_days),
    Field("course.pattern", "text", "how the relationship ended; missing while it goes on", lambda p: p.course.pattern, get_args(Pattern)),
    Field("leaving.cause", "text", "likeliest cause if the customer leaves", lambda p: p.leaving.cause, get_args(Cause)),
    Field("leaving.share", "number", "share 0..1 of all evidence that speaks for that cause", lambda p: p.leaving.share),
    Field("relation.score", "number", "relationship score 0..1; missing while nothing is known", lambda p: p.relation.score),
    Field("relation.weakest", "text", "weakest indicator of the relationship score", lambda p: p.relation.weakest, INDICATORS),
    Field("unit.margin", "number", "margin so far, minor units", lambda p: p.unit.margin),
    Field("unit.acquisition", "number", "what it cost to win the customer, minor units", lambda p: p.unit.acquisition),
    Field("unit.direct", "number", "what our contacts cost so far, minor units", lambda p: p.unit.direct),
    Field("unit.indirect", "number", "indirect loading of these, minor units", lambda p: p.unit.indirect),
    Field("unit.net", "number", "margin less acquisition, direct and indirect cost so far, minor units", lambda p: p.unit.net),
    Field("orders.count", "number", "orders so far, in any currency", lambda p: p.orders.count),
    Field("orders.revenue", "number", "orders less what was given back, minor units of orders.currency", lambda p: p.orders.revenue),
    Field("orders.currency", "text", "the house's, ISO 4217; the orders' own where no rate is known", lambda p: p.orders.currency or None),
    Field("orders.first_at", "instant", "first order", lambda p: p.orders.first_at),
    Field("orders.last_at", "instant", "last order", lambda p: p.orders.last_at),
    Field("orders.interval_days", "number", "mean days between orders; missing before the second order", lambda p: p.orders.interval_days),
    Field("first_seen_at", "instant", "first touchpoint", lambda p: p.first_seen_at),
    Field("last_seen_at", "instant", "last touchpoint", lambda p: p.last_seen_at),
    Field("satisfaction", "number", "last known satisfaction, 1..5; missing while the customer never rated", lambda p: p.satisfaction),
    Field("open_complaints", "number", "complaints that are not resolved", lambda p: p.open_complaints),
    Field("unsatisfied", "flag", "a matter is open or was closed without satisfaction", lambda p: p.unsatisfied),
    Field("complaints.solved", "number", "complaints that were resolved", lambda p: p.complaints.solved),
    Field(
        "complaints.mean_seconds",
        "number",
        "mean seconds to resolve a complaint",
        lambda p: p.complaints.mean_seconds if p.complaints.solved else None,
    ),
    Field("services.open", "number", "service matters that are not done", lambda p: p.services.open),
    Field("services.solved", "number", "service matters that were done", lambda p: p.services.solved),
    Field(
        "services.mean_seconds",
        "number",
        "mean seconds to do a service matter",
        lambda p: p.services.mean_seconds if p.services.solved else None,
    ),
    Field("referrals", "number", "customers referred so far", lambda p: p.referrals),
    Field("contract_ends_at", "instant", "end of the contract that ends next; missing where none is known", lambda p: p.contract_ends_at),
    Field("products", "list", "names of registered products, the newest first", lambda p: tuple(r.name for r in p.products)),
    Field(
        "shared",
        "list",
        "kinds of identifiers that other customers have, too",
        lambda p: tuple(sorted({n.partition(":")[0] for n in p.shared})),
    ),
    Field(
        "verified",
        "list",
        "channels whose address the customer has shown to be theirs",
        lambda p: tuple(c.channel for c in p.contact_points if c.verified),
    ),
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
