"""Customers' lives, drawn from a seed: who signs up, asks, answers, orders, says stop, merges; each post with an id of its own. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

Kind = Literal["sign_up", "consent", "view", "order", "ask", "late_ask", "answer", "burst", "stop", "complaint"]
SEGMENT: tuple[str, ...] = ("identify", "track", "page")
PHONES = ("113", "114", "115", "116", "117", "118", "121", "131", "141", "151", "161")
"""UK areas with numbers 496 0000 to 496 0999 that Ofcom keeps for drama: nobody has them."""
BURST = 15
LATE = "2019-05-05T10:00:00Z"
"""When an imported event happened: long before anything that may start a campaign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One touchpoint as a source posts it: `call` is a Segment method or `event` (a CloudEvent), `body` what it says.

    `key` names the matter it is about, `channels` what a stop stops (empty: everything), `amount` minor units of an order.
    `stamped`: with the customer's own time, `late_hours` (business) before it is posted.
    """

    id: str
    customer: str
    kind: Kind
    call: str
    body: dict[str, Any]
    key: str = ""
    channels: tuple[str, ...] = ()
    amount: int = 0
    stamped: bool = False
    late_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """After a pause of wall seconds these go out together; the next step waits until all were accepted."""

    pause_seconds: float
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One customer: where it can be reached, where it lives, what it does. `zone` is its IANA time zone."""

    name: str
    group: str
    email: str
    phone: str
    zone: str
    steps: tuple[Step, ...]


@dataclass(slots=True)
class _Writer:
    """Writes one life down."""

    run: str
    number: int
    chance: random.Random
    window_seconds: float
    zone: str = "Etc/UTC"
    steps: list[Step] = field(default_factory=list)
    _count: int = 0

    @property
    def name(self) -> str:
        return f"{self.run}-c{self.number}"

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    @property
    def phone(self) -> str:
        return f"+44{PHONES[self.number // 1000 % len(PHONES)]}496{self.number % 1000:04d}"

    def then(self, pause_seconds: float, *posts: Post) -> None:
        self.steps.append(Step(pause_seconds, posts))

    def id(self) -> str:
        self._count += 1
        return f"{self.name}-{self._count}"

    def track(self, kind: Kind, event: str, properties: dict[str, Any], **more: Any) -> Post:
        given = {"event": event, "properties": {**properties, "seq": self._count + 1}, "userId": self.name}
        given |= more.pop("who", {})
        return Post(id=self.id(), customer=self.name, kind=kind, call="track", body=given, **more)

    def event(self, kind: Kind, type_: str, data: dict[str, Any], **more: Any) -> Post:
        body = {"type": type_, "data": {"identifiers": [f"customer_id:{self.name}"], "seq": self._count + 1, **data}}
        return Post(id=self.id(), customer=self.name, kind=kind, call="event", body=body, **more)

    def agree(self) -> tuple[Post, ...]:
        return tuple(self.event("consent", "consent.granted", {"channel": c, "purpose": "marketing"}) for c in ("email", "sms"))

    def withdraw(self) -> tuple[Post, ...]:
        given = {"purpose": "marketing"}
        return tuple(self.event("stop", "consent.withdrawn", {"channel": c, **given}, channels=(c,)) for c in ("sms", "email"))

    def sign_up(self, anonymous: str = "") -> None:
        address = {"country": "US", "state": "CA"} if self.zone.startswith("America") else {"country": "GB"}
        traits = {"email": self.email, "phone": self.phone, "timezone": self.zone, "address": address}
        body = {"userId": self.name, "traits": traits} | ({"anonymousId": anonymous} if anonymous else {})
        self.then(0.0, Post(id=self.id(), customer=self.name, kind="sign_up", call="identify", body=body))

    def view(self) -> Post:
        seen = {"product_id": f"p{self.chance.randrange(50)}"}
        return self.track("view", "Product Viewed", seen, stamped=self.chance.random() < 0.5, late_hours=self.chance.uniform(0, 200))

    def order(self, who: dict[str, str] | None = None) -> Post:
        pence = self.chance.randrange(100, 20_000)
        properties = {"order_id": f"o-{self.name}-{self._count}", "revenue": pence / 100, "currency": "EUR"}
        late = {"stamped": self.chance.random() < 0.5, "late_hours": self.chance.uniform(0, 200)}
        return self.track("order", "Order Completed", properties, amount=pence, who=who or {}, **late)

    def ask(self, number: int) -> str:
        key = f"{self.name}-k{number}"
        self.then(self.chance.uniform(0.3, 2.0), self.track("ask", f"{self.run}.asked", {"ask": key}, key=key, stamped=True))
        return key

    def answer(self, key: str) -> Post:
        return self.event("answer", "form.submitted", {"ask": key}, key=key)


def lives(run: str, seed: int, *, window_seconds: float) -> Iterator[Life]:
    """Lives without end; names and ids begin with `run`. `window_seconds` is how long a wave's window is on the wall."""
    chance = random.Random(f"lives {seed}")
    for number in count():
        group = chance.choices(tuple(GROUPS), weights=[share for share, _ in GROUPS.values()])[0]
        writer = _Writer(run, number, random.Random(chance.random()), window_seconds, zone=ZONES.get(group, "Etc/UTC"))
        yield _lived(writer, group, GROUPS[group][1])


def checkups(run: str, seed: int, many: int) -> list[Life]:
    """Lives for when all is healed; their numbers are far above the others'."""
    writers = [_Writer(run, number, random.Random(f"checkup {seed} {number}"), 0.0) for number in range(10_900, 10_900 + many)]
    return [_lived(writer, "checkup", checkup) for writer in writers]


def _lived(writer: _Writer, group: str, live: Callable[[_Writer], None]) -> Life:
    live(writer)
    return Life(name=writer.name, group=group, email=writer.email, phone=writer.phone, zone=writer.zone, steps=tuple(writer.steps))


def _asker(w: _Writer) -> None:
    w.sign_up()
    w.then(0.0, *w.agree())
    w.then(w.chance.uniform(0, 1), w.view())
    key = w.ask(1)
    if w.chance.random() < 0.15:
        w.then(0.2, w.track("ask", f"{w.run}.asked", {"ask": key}, key=key))
    if w.chance.random() < 0.3:
        w.then(0.0, w.track("late_ask", f"{w.run}.asked", {"ask": f"{key}-late"}, key=f"{key}-late"))
    if w.chance.random() < 0.7:
        w.then(w.chance.uniform(0.2, 1.15) * w.window_seconds, w.answer(key))
    w.then(w.chance.uniform(0, 1), w.order(), w.order())


def _stopper(w: _Writer) -> None:
    w.sign_up()
    w.then(0.0, *w.agree())
    w.ask(1)
    how = w.chance.choice(("withdrawn", "complaint", "text"))
    pause = w.chance.choice((0.0, 0.05, 0.5, 2.0))
    if how == "withdrawn":
        w.then(pause, *w.withdraw())
    elif how == "complaint":
        w.then(pause, w.event("complaint", "complaint.opened", {"reference": f"T-{w.name}"}))
    else:
        w.then(pause, w.event("stop", "sms.received", {"body": "STOP"}, channels=("sms",)))
    for number in (2, 3):
        w.ask(number)
    w.then(0.5, w.view())


def _burster(w: _Writer) -> None:
    w.sign_up()
    w.then(0.0, *w.agree())
    burst = [w.track("burst", f"{w.run}.burst", {"n": f"{w.name}-{n}"}, key=f"{w.name}-{n}") for n in range(BURST)]
    w.then(1.0, *burst)
    w.then(0.5, w.order())


def _sleeper(w: _Writer) -> None:
    w.sign_up()
    w.then(0.0, *w.agree())
    for number in (1, 2, 3):
        w.ask(number)


def _wanderer(w: _Writer) -> None:
    """Comes without a name, with two devices, and signs up later: three customers become one."""
    devices = [f"{w.name}-d{n}" for n in (1, 2)]
    for device in devices:
        who = {"anonymousId": device, "userId": ""}
        w.then(w.chance.uniform(0, 0.5), w.order(who), w.order(who))
    w.sign_up(devices[0])
    w.then(0.0, *w.agree())
    w.then(w.chance.uniform(0, 1), w.order())
    known = {"userId": w.name, "anonymousId": devices[1], "traits": {"plan": "plus"}}
    w.then(0.3, Post(id=w.id(), customer=w.name, kind="sign_up", call="identify", body=known))
    w.then(0.3, w.order(), w.view())


def _silent(w: _Writer) -> None:
    """Never agrees to anything, and asks all the same."""
    w.sign_up()
    w.ask(1)


def _returner(w: _Writer) -> None:
    """Withdraws and agrees again."""
    w.sign_up()
    w.then(0.0, *w.agree())
    w.then(0.5, *w.withdraw())
    w.then(w.chance.uniform(0.1, 2.0), *w.agree())
    w.ask(1)


def checkup(w: _Writer) -> None:
    """Asks once, and waits."""
    w.sign_up()
    w.then(0.0, *w.agree())
    w.ask(1)


GROUPS: dict[str, tuple[float, Callable[[_Writer], None]]] = {
    "asker": (0.44, _asker),
    "stopper": (0.20, _stopper),
    "burster": (0.05, _burster),
    "night": (0.08, _sleeper),
    "evening": (0.05, _sleeper),
    "silent": (0.04, _silent),
    "returner": (0.04, _returner),
    "wanderer": (0.10, _wanderer),
}
"""Share of each group, and how its life goes."""
ZONES = {"night": "America/Los_Angeles", "evening": "Australia/Sydney"}
"""Everybody else lives by UTC. It is one in the morning in Los Angeles when a run begins, and in Sydney the contact hours end soon."""
