"""Made-up people and what they do: who they are by many names, when they come, what they say, and how that reaches the doors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from msgspec.structs import replace
from nextwave_contracts.holds import Hold
from nextwave_contracts.identifiers import blind
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_ingest.stops import stops
from unit.simulation.house import KEY

DAYS = 12
PHONES = ("+49151000{:05d}", "+1212555{:04d}", "+1800555{:04d}", "+44791100{:04d}", "+33612300{:03d}")
HOMES: tuple[dict[str, Any], ...] = (
    {},
    {"quiet_hours": [["12:00", "14:00"], ["19:00", "24:00"]]},
    {"timezone": "Europe/Berlin", "country": "DE", "quiet_hours": [["18:30", "09:30"]]},
    {"timezone": "America/Los_Angeles", "country": "US", "region": "US-CA"},
    {"timezone": "Asia/Kolkata"},
    {"timezone": "Europe/London", "country": "GB"},
)
KINDS: tuple[tuple[str, int], ...] = (
    ("page.viewed", 8),
    ("product.viewed", 5),
    ("cart.updated", 6),
    ("order.placed", 2),
    ("payment.failed", 3),
    ("order.paid", 2),
    ("form.submitted", 2),
    ("complaint.opened", 1),
    ("complaint.resolved", 2),
    ("consent.granted", 2),
    ("consent.withdrawn", 1),
    ("sms.received", 1),
)


@dataclass(slots=True)
class Person:
    """One person. `known` names belong to the account, `devices` are met before it is."""

    number: int
    known: tuple[str, ...]
    devices: tuple[str, ...]
    home: dict[str, Any]
    identified_at: datetime
    linked_to: str = ""
    said: int = 0
    visits: list[datetime] = field(default_factory=list)


def people(chance: Random, count: int, start: datetime) -> list[Person]:
    """So many of them; now and then two accounts turn out to be one person's."""
    made = [_person(chance, number, start) for number in range(count)]
    for one, other in zip(made[::8], made[1::8], strict=False):
        one.linked_to = other.known[0]
    return made


def _person(chance: Random, number: int, start: datetime) -> Person:
    phone = chance.choice(PHONES).format(number)
    known = (f"customer_id:c{number}", f"email:p{number}@example.com", f"phone:{phone}")
    devices = tuple(f"anonymous_id:a{number}-{n}" for n in range(chance.randint(1, 2)))
    visits = sorted(start + timedelta(days=chance.uniform(0, DAYS)) for _ in range(chance.randint(2, 5)))
    return Person(number, known, devices, dict(chance.choice(HOMES)), start + timedelta(days=chance.uniform(0, DAYS / 2)), visits=visits)


def life(chance: Random, person: Person) -> Iterator[tuple[datetime, Touchpoint]]:
    """All that a person does by themselves: `(instant at the door, touchpoint)`."""
    yield _identified(chance, person)
    if chance.random() < 0.85:
        when = person.identified_at + timedelta(seconds=chance.choice([-40_000, 1, 30, 4_000]))
        yield _touch(chance, person, "consent.granted", when, {"channel": "", "purpose": chance.choice(["", "", "marketing"])})
    if person.linked_to:
        when = person.identified_at + timedelta(days=chance.uniform(0.1, DAYS - 1))
        yield when, _new(person, "identities.linked", when, (person.known[0], person.linked_to), {})
    for visit in person.visits:
        when = visit
        for _ in range(chance.randint(1, 5)):
            when += timedelta(seconds=chance.choice([1, 20, 300, 2_500]) * chance.random())
            (kind,) = chance.choices([k for k, _ in KINDS], [w for _, w in KINDS])
            yield _touch(chance, person, kind, when, _data(chance, kind))
        if chance.random() < 0.5:
            yield _touch(chance, person, "page.viewed", when + timedelta(hours=chance.uniform(0, 30)), {"path": "/renew"})


def react(chance: Random, person: Person, when: datetime, action_id: str) -> Touchpoint:
    """What a person does about a contact."""
    draw = chance.random()
    kind = "page.viewed" if draw < 0.5 else "email.clicked" if draw < 0.7 else "order.placed" if draw < 0.85 else "sms.received"
    data = {"path": "/renew"} if kind == "page.viewed" else {"action_id": action_id} if kind == "email.clicked" else _data(chance, kind)
    return _touch(chance, person, kind, when, data)[1]


def holds_of(touchpoint: Touchpoint) -> tuple[Hold, ...]:
    """What the door sends ahead on the express lane."""
    subjects = tuple(blind(name, KEY) for name in touchpoint.identifiers)
    return tuple(
        Hold(
            id=f"{touchpoint.id}/{stop.kind}",
            source=touchpoint.source,
            kind=stop.kind,
            subjects=subjects,
            at=touchpoint.occurred_at,
            channel=stop.channel,
            purpose=stop.purpose,
            reference=stop.reference,
        )
        for stop in stops(touchpoint.type, touchpoint.data, touchpoint.id)
    )


def again(touchpoint: Touchpoint, when: datetime) -> Touchpoint:
    """The same, sent once more by its client."""
    return replace(touchpoint, received_at=when)


def _identified(chance: Random, person: Person) -> tuple[datetime, Touchpoint]:
    names = (*person.known, *person.devices[:1])
    return person.identified_at, _new(person, "customer.identified", person.identified_at, names, dict(person.home))


def _touch(chance: Random, person: Person, kind: str, when: datetime, data: dict[str, Any]) -> tuple[datetime, Touchpoint]:
    """By a device, and after signing in by some of the account's names or by both."""
    device = chance.choice(person.devices)
    names: tuple[str, ...] = (device,)
    if when >= person.identified_at and chance.random() < 0.7:
        names = tuple(chance.sample(person.known, chance.randint(1, 2)))
        names += (device,) if chance.random() < 0.3 else ()
    late = chance.choice([0.0, 0.0, 0.0, 30.0, 7_200.0, 400_000.0, 3_000_000.0]) if chance.random() < 0.25 else 0.0
    return when, _new(person, kind, when, names, data, late=late)


def _new(person: Person, kind: str, when: datetime, names: tuple[str, ...], data: dict[str, Any], *, late: float = 0.0) -> Touchpoint:
    person.said += 1
    return Touchpoint(
        id=f"p{person.number}-{person.said}",
        source="shop/web",
        type=kind,
        identifiers=names,
        occurred_at=when - timedelta(seconds=late),
        received_at=when,
        data=data,
        time_suspect=late > 30 * 86_400,
    )


def _data(chance: Random, kind: str) -> dict[str, Any]:
    reference, channel, purpose = chance.choice(["t1", "t2"]), chance.choice(["", "email", "sms"]), chance.choice(["", "marketing"])
    by_kind: dict[str, dict[str, Any]] = {
        "page.viewed": {"path": chance.choice(["/renew", "/", "/about"])},
        "order.placed": {"amount": chance.randint(1, 50) * 100, "currency": "EUR"},
        "payment.failed": {"order_id": f"o{chance.randint(1, 2)}"},
        "order.paid": {"order_id": f"o{chance.randint(1, 2)}"},
        "complaint.opened": {"reference": reference},
        "complaint.resolved": {"reference": chance.choice([reference, ""]), "satisfied": chance.random() < 0.7},
        "consent.granted": {"channel": channel, "purpose": purpose},
        "consent.withdrawn": {"channel": channel, "purpose": purpose},
        "sms.received": {"wish": chance.choice(["opt_out", "opt_out", "opt_in"])},
    }
    return by_kind.get(kind, {})
