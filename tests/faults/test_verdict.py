"""The observer finds each kind of broken promise in records made by hand, and none in a run as it should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from faults.observer.book import Book, Raw
from faults.observer.evidence import Call, Clock, Ended, Evidence, Person, Posted, Rules
from faults.observer.finding import Promise
from faults.observer.verdict import judge

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


def broken(scene: Scene) -> set[Promise]:
    return {finding.promise for finding in judge(scene.evidence())}


def test_a_run_as_it_should_be_breaks_nothing() -> None:
    assert judge(Scene().evidence()) == []


def _lost_at_the_door(scene: Scene) -> None:
    scene.accept("order-2", "order", 9, on_topic=False)


def _lost_in_scoring(scene: Scene) -> None:
    scene.accept("view-1", "view", 9)


def _lost_between_services(scene: Scene) -> None:
    del scene.records[next(n for n, raw in enumerate(scene.records) if raw.topic == "customers")]


def _taken_in_twice(scene: Scene) -> None:
    scene.update("order-1", 9, 5)


def _two_contents_for_one_place(scene: Scene) -> None:
    scene.records.append(next(raw for raw in scene.records if raw.topic == "decisions")._replace(offset=99, value=b'{"type": "decision"}'))


def _out_of_order(scene: Scene) -> None:
    one, other = [n for n, raw in enumerate(scene.records) if raw.topic == "touchpoints"][:2]
    scene.records[one], scene.records[other] = scene.records[other], scene.records[one]


def _started_twice(scene: Scene) -> None:
    scene.decide("run_started", {"run_id": "r2", "campaign": "ask", "caused_by": "ask-1", "at": scene.at(0)}, 0)
    scene.decide("run_ended", {"run_id": "r2", "campaign": "ask", "at": scene.at(5)}, 5)


def _never_started(scene: Scene) -> None:
    scene.accept("ask-2", "ask", 9)
    scene.posted["ask-2"].key = "k2"
    scene.update("ask-2", 9, 3)


def _an_import_started_a_run(scene: Scene) -> None:
    scene.posted["ask-1"].kind = "late_ask"


def _closed_over_an_answer(scene: Scene) -> None:
    scene.records = [raw for raw in scene.records if b"wave_closed" not in raw.value]
    scene.last.clear()
    scene.close("tell", 10, responded=False)


def _reminded_after_the_answer(scene: Scene) -> None:
    scene.contact("a2", "r1", "remind", 6)
    scene.decide("decision", {"decision_id": "d2", "result": "act", "action_id": "a2", "channel": "email", "at": scene.at(6)}, 6)
    scene.outcome("o2", "a2", "withdrawn")


def _sent_twice(scene: Scene) -> None:
    scene.call("a1", 0.7)


def _sent_by_nobody(scene: Scene) -> None:
    scene.call("a9", 0.7)


def _sent_after_a_stop(scene: Scene) -> None:
    scene.call("a1", 11.5)


def _sent_at_night(scene: Scene) -> None:
    scene.calls[0] = scene.calls[0]._replace(business=START.replace(hour=3))


def _sent_too_late(scene: Scene) -> None:
    scene.calls[0] = scene.calls[0]._replace(business=CLOCK.at(EPOCH + 16))


def _too_many_in_a_burst(scene: Scene) -> None:
    for n in range(4):
        scene.contact(f"b{n}", f"rb{n}", "tell", 1, campaign="burst")
        scene.decide("decision", {"decision_id": f"db{n}", "result": "act", "action_id": f"b{n}", "channel": "sms", "at": scene.at(1)}, 1)
        scene.outcome(f"ob{n}", f"b{n}", "delivered")
        scene.call(f"b{n}", 1)


def _unreadable_and_not_rejected(scene: Scene) -> None:
    scene.changes["poisoned"] = [("touchpoints", 0, 77)]


def _rejected_without_cause(scene: Scene) -> None:
    scene.write("rejected", {"topic": "nextwave.touchpoints.v1", "partition": 0, "offset": 1, "reason": "invalid"}, 3, origin="")


def _an_error_at_the_door(scene: Scene) -> None:
    scene.changes["statuses"] = {"200": 4, "500": 1}


def _a_process_that_ended_by_itself(scene: Scene) -> None:
    scene.changes["ended"] = [Ended("scoring-0", 7)]


def _another_answer_in_a_replay(scene: Scene) -> None:
    scene.changes["replays"] = {"d1": "the replay says withhold"}


def _too_much_memory(scene: Scene) -> None:
    scene.changes["memory"] = {"scoring-0": 120.0, "scoring-1": 301.0}


def _an_action_without_an_outcome(scene: Scene) -> None:
    scene.contact("a3", "r1", "tell", 1)
    scene.decide("decision", {"decision_id": "d3", "result": "act", "action_id": "a3", "channel": "sms", "at": scene.at(1)}, 1)


def _a_history_without_a_touchpoint(scene: Scene) -> None:
    scene.changes["timelines"] = {"c1": ["ask-1", "order-1", "stop-1"]}


def _contacted_after_a_stop_was_known(scene: Scene) -> None:
    act = {"decision_id": "d4", "result": "act", "action_id": "a4", "channel": "sms", "caused_by": "ask-2", "at": scene.at(9.5)}
    scene.accept("ask-2", "ask", 9.5)
    scene.update("ask-2", 9.5, 4)
    scene.decide("decision", act, 9.5)
    scene.contact("a4", "r1", "tell", 9.5)
    scene.outcome("o4", "a4", "withdrawn")


BREAKS: dict[str, tuple[Callable[[Scene], None], Promise]] = {
    "lost at the door": (_lost_at_the_door, "P1"),
    "lost in scoring": (_lost_in_scoring, "P1"),
    "lost between services": (_lost_between_services, "P1"),
    "missing in a history": (_a_history_without_a_touchpoint, "P1"),
    "never started": (_never_started, "P1"),
    "sent twice": (_sent_twice, "P2"),
    "sent by nobody": (_sent_by_nobody, "P2"),
    "out of order": (_out_of_order, "P3"),
    "taken in twice": (_taken_in_twice, "P4"),
    "two contents for one place": (_two_contents_for_one_place, "P4"),
    "started twice": (_started_twice, "P4"),
    "an import started a run": (_an_import_started_a_run, "P5"),
    "contacted after a stop was known": (_contacted_after_a_stop_was_known, "P6"),
    "sent after a stop": (_sent_after_a_stop, "P7"),
    "unreadable and not rejected": (_unreadable_and_not_rejected, "P8"),
    "rejected without cause": (_rejected_without_cause, "P8"),
    "an error at the door": (_an_error_at_the_door, "P10"),
    "a process that ended by itself": (_a_process_that_ended_by_itself, "P10"),
    "an action without an outcome": (_an_action_without_an_outcome, "P11"),
    "sent too late": (_sent_too_late, "P11"),
    "sent at night": (_sent_at_night, "P12"),
    "another answer in a replay": (_another_answer_in_a_replay, "P14"),
    "too much memory": (_too_much_memory, "P16"),
    "too many in a burst": (_too_many_in_a_burst, "P17"),
    "closed over an answer": (_closed_over_an_answer, "P18"),
    "reminded after the answer": (_reminded_after_the_answer, "P18"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_the_observer_finds(what: str) -> None:
    spoil, promise = BREAKS[what]
    scene = Scene()
    spoil(scene)
    assert promise in broken(scene)


def test_a_message_published_again_is_told_apart_and_breaks_nothing() -> None:
    scene = Scene()
    again = [replace_offset(raw, 100 + n) for n, raw in enumerate(scene.records) if raw.headers]
    scene.records += again
    assert judge(scene.evidence()) == []


def replace_offset(raw: Raw, offset: int) -> Raw:
    return raw._replace(offset=offset)
