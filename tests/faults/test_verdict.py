"""The observer finds each kind of broken promise in records made by hand, and none in a run as it should be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults.observer.book import Raw
from faults.observer.evidence import Ended
from faults.observer.finding import Promise
from faults.observer.verdict import judge
from faults.scene import CLOCK, EPOCH, START, Scene


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
    scene.call("a1", 11.0)


def _sent_at_night(scene: Scene) -> None:
    scene.calls[0] = scene.calls[0]._replace(business=START.replace(hour=3))


def _sent_after_the_hours(scene: Scene) -> None:
    scene.calls[0] = scene.calls[0]._replace(business=START.replace(hour=21, minute=4))


def _sent_too_late(scene: Scene) -> None:
    scene.calls[0] = scene.calls[0]._replace(business=CLOCK.at(EPOCH + 16))


def _too_many_in_a_burst(scene: Scene) -> None:
    for n in range(4):
        scene.contact(f"b{n}", f"rb{n}", "tell", 1, campaign="burst")
        scene.decide("decision", {"decision_id": f"db{n}", "result": "act", "action_id": f"b{n}", "channel": "sms", "at": scene.at(1)}, 1)
        scene.outcome(f"ob{n}", f"b{n}", "delivered")
        scene.call(f"b{n}", 1)


def _unreadable_and_not_rejected(scene: Scene) -> None:
    scene.write("touchpoints", {}, 3, key="stranger-1", origin="")


def _somebody_elses_order(scene: Scene) -> None:
    scene.accept("order-2", "order", 9)
    scene.changes["whole"] = frozenset({"ann"})
    message = {"type": "updated", "customer_id": "c9", "at": scene.at(9), "touchpoint": {"id": "order-2"}, "profile": {"version": 1}}
    scene.write("customers", message, 9, origin="scoring.touchpoints/0")


def _two_people_in_one_profile(scene: Scene) -> None:
    scene.accept("view-9", "view", 9)
    scene.posted["view-9"].customer = "bob"
    scene.update("view-9", 9, 5)


def _sent_to_a_stranger(scene: Scene) -> None:
    scene.calls[0] = scene.calls[0]._replace(to="+441134960777")


def _decided_out_of_order(scene: Scene) -> None:
    scene.decide("decision", {"decision_id": "d8", "result": "withhold", "caused_by": "order-1", "at": scene.at(8)}, 8)
    scene.decide("decision", {"decision_id": "d9", "result": "withhold", "caused_by": "ask-1", "at": scene.at(8)}, 8)


def _contacted_without_ever_agreeing(scene: Scene) -> None:
    scene.posted["yes-1"].kind = "view"


def _nobody_contacted_after_healing(scene: Scene) -> None:
    scene.changes["checkups"] = ["ask-1"]
    scene.calls.clear()


def _nobody_could_ask_after_healing(scene: Scene) -> None:
    scene.changes["checkups"] = ["never-posted"]


def _never_accepted(scene: Scene) -> None:
    scene.changes["unaccepted"] = ["order-1"]


def _silent_without_reason(scene: Scene) -> None:
    scene.changes["unanswered"] = [("ingest-0", 10.0)] * 4


def _not_ready(scene: Scene) -> None:
    scene.changes["unready"] = ["scoring-1"]


def _rolled_nowhere(scene: Scene) -> None:
    scene.changes["did"] = frozenset({"roll"})


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
    "sent to a stranger": (_sent_to_a_stranger, "P2"),
    "decided out of order": (_decided_out_of_order, "P3"),
    "somebody else's order": (_somebody_elses_order, "P4"),
    "two people in one profile": (_two_people_in_one_profile, "P4"),
    "contacted without ever agreeing": (_contacted_without_ever_agreeing, "P6"),
    "never accepted": (_never_accepted, "P10"),
    "silent without reason": (_silent_without_reason, "P10"),
    "not ready": (_not_ready, "P10"),
    "nobody contacted after healing": (_nobody_contacted_after_healing, "P11"),
    "nobody could ask after healing": (_nobody_could_ask_after_healing, "P11"),
    "rolled nowhere": (_rolled_nowhere, "P13"),
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
    "sent after the hours": (_sent_after_the_hours, "P12"),
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


def test_a_text_that_was_on_its_way_when_the_hours_ended_is_no_text_at_night() -> None:
    scene = Scene()
    scene.calls[0] = scene.calls[0]._replace(business=START.replace(hour=21, minute=2))
    assert "P12" not in broken(scene)


def test_a_message_published_again_is_told_apart_and_breaks_nothing() -> None:
    scene = Scene()
    again = [replace_offset(raw, 100 + n) for n, raw in enumerate(scene.records) if raw.headers]
    scene.records += again
    assert judge(scene.evidence()) == []


def replace_offset(raw: Raw, offset: int) -> Raw:
    return raw._replace(offset=offset)
