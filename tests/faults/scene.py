"""A short run as it should be, made by hand, for tests of the observer to spoil."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from faults.observer.book import Book, Raw
from faults.observer.evidence import Call, Clock, Evidence, Person, Posted, Rules

START = datetime(2026, 3, 3, 9, 5, tzinfo=UTC)
EPOCH = 1_000_000.0
SPEED = 120.0
CLOCK = Clock(EPOCH, START, SPEED)
ANN = Person(name="ann", group="asker", email="ann@example.com", phone="+441134960001", zone="Etc/UTC")
RULES = Rules(ask="ask", burst="burst", window=timedelta(minutes=20), cap=3)


DAY = (("ask-1", "ask", 0), ("answer-1", "answer", 5), ("order-1", "order", 8), ("stop-1", "stop", 9))
"""What Ann does: id, kind, second."""


class Scene:
    """A short run as it should be: Ann asks, is told, answers in time; later she orders and says stop."""

    def __init__(self) -> None:
        self.records: list[Raw] = []
        self.posted: dict[str, Posted] = {}
        self.calls: list[Call] = []
        self.offsets: dict[str, int] = {}
        self.last: dict[str, tuple[int, int]] = {}
        self.changes: dict[str, Any] = {}
        for number, (name, kind, second) in enumerate(DAY):
            self.accept(name, kind, second)
            self.update(name, second, number)
        self.accept("yes-1", "consent", -1)
        self.update("yes-1", -1, 0)
        self.decide("run_started", {"run_id": "r1", "campaign": "ask", "caused_by": "ask-1", "at": self.at(0)}, 0)
        act = {"decision_id": "d1", "result": "act", "action_id": "a1", "channel": "sms", "caused_by": "ask-1", "at": self.at(0)}
        self.decide("decision", act, 0)
        self.contact("a1", "r1", "tell", 0)
        self.call("a1", 0.5)
        self.outcome("o1", "a1", "delivered")
        self.close("tell", 5, responded=True)
        self.decide("run_ended", {"run_id": "r1", "campaign": "ask", "at": self.at(5)}, 5)

    @staticmethod
    def at(second: float) -> str:
        return CLOCK.at(EPOCH + second).isoformat()

    def accept(self, name: str, kind: str, second: float, *, on_topic: bool = True) -> None:
        key = "k1" if kind in ("ask", "answer") else ""
        channels = ("sms",) if kind == "stop" else ()
        given: dict[str, Any] = {"customer": "ann", "kind": kind, "key": key, "channels": channels, "amount": 500 if kind == "order" else 0}
        self.posted[name] = Posted(id=name, first_at=EPOCH + second, accepted_at=EPOCH + second, **given)
        if on_topic:
            self.write("touchpoints", {"id": name, "type": "t"}, second, key="customer_id:ann", origin="")

    def update(self, name: str, second: float, version: int) -> None:
        orders = {"count": 1, "revenue": 500} if version >= 2 else {}
        profile = {"version": version, "orders": orders}
        message = {"type": "updated", "customer_id": "c1", "at": self.at(second), "touchpoint": {"id": name}, "profile": profile}
        self.write("customers", message, second, origin="scoring.touchpoints/0")

    def decide(self, kind: str, message: dict[str, Any], second: float) -> None:
        whole = {"type": kind, "customer_id": "c1", "version": 1, "wave": "tell", **message}
        self.write("decisions", whole, second, origin="orchestrator.customers/0")

    def close(self, wave: str, second: float, *, responded: bool) -> None:
        self.decide("wave_closed", {"run_id": "r1", "wave": wave, "at": self.at(second), "responded": responded}, second)

    def contact(self, action: str, run: str, wave: str, second: float, campaign: str = "ask") -> None:
        message = {"type": "contact", "action_id": action, "run_id": run, "wave": wave, "customer_id": "c1", "campaign": campaign}
        message |= {"decided_at": self.at(second), "not_after": self.at(second + 10)}
        self.write("actions", message, second, origin="orchestrator.customers/0")

    def outcome(self, name: str, action: str, kind: str) -> None:
        self.write("outcomes", {"id": name, "action_id": action, "kind": kind}, 1, origin="channels.actions/0")
        message = {"type": "updated", "customer_id": "c1", "at": self.at(1), "outcome": {"id": name}, "profile": {"version": 1}}
        self.write("customers", message, 1, origin="scoring.outcomes/0")

    def call(self, action: str, second: float, *, to: str = ANN.phone, business: datetime | None = None) -> None:
        wall = EPOCH + second
        self.calls.append(Call(action, "sms", to, True, wall, business or CLOCK.at(wall)))

    def write(self, topic: str, message: dict[str, Any], second: float, *, origin: str, key: str = "c1") -> Raw:
        offset = self.offsets[topic] = self.offsets.get(topic, -1) + 1
        headers = {}
        if origin:
            way = f"{topic} {origin}"
            before, place = self.last.get(way), (offset, 0)
            self.last[way] = place
            headers["nextwave-origin"] = f"{origin}/{offset}/0".encode()
            headers["nextwave-previous"] = f"{before[0]}/{before[1]}".encode() if before else b""
        raw = Raw(topic, 0, offset, EPOCH + second, key.encode(), json.dumps(message).encode(), headers)
        self.records.append(raw)
        return raw

    def evidence(self) -> Evidence:
        book = Book()
        for raw in self.records:
            book.take(raw)
        people = dict.fromkeys((ANN.name, ANN.email, ANN.phone), ANN)
        return Evidence(clock=CLOCK, rules=RULES, posted=self.posted, people=people, book=book, calls=self.calls, **self.changes)
