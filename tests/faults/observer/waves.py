"""P1, P4, P12, P18: one run for each accepted question, each wave closed once and by what was received in its window, in its own time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from faults.observer.book import Arrival, instant
from faults.observer.evidence import Evidence
from faults.observer.finding import Finding

WAVES = ("tell", "remind")


def runs(evidence: Evidence) -> Iterator[Finding]:
    """The first question with a key, in accepted order, starts exactly one run; repetitions and other questions with it start none."""
    book, first = evidence.book, dict[str, str]()
    for names in book.accepted_order.values():
        for name in names:
            posted = evidence.posted.get(name)
            if posted is not None and posted.kind in ("ask", "burst"):
                first.setdefault(posted.key, name)
    started = Counter(run["caused_by"] for run in book.decisions["run_started"])
    wanted = set(first.values())
    yield from (Finding("P1", f"{name} was accepted and started no run") for name in sorted(wanted - set(started)))
    for name, times in started.items():
        posted = evidence.posted.get(name)
        if posted is None or posted.kind == "late_ask":
            continue
        if times > 1:
            yield Finding("P4", f"{name} started {times} runs")
        if name not in wanted:
            yield Finding("P4", f"{name} started a run although {first.get(posted.key)} had asked the same before")


def closings(evidence: Evidence) -> Iterator[Finding]:
    """Each wave closes once: as answered when the answer was received in the window, else not before the window's end."""
    book = evidence.book
    started = {run["run_id"]: run for run in book.decisions["run_started"]}
    answers = _answers(evidence)
    closed: dict[tuple[str, str], dict[str, Any]] = {}
    for wave in book.decisions["wave_closed"]:
        place = (wave["run_id"], wave["wave"])
        if place in closed:
            yield Finding("P4", f"wave {wave['wave']} of run {wave['run_id']} closed twice")
        closed[place] = wave
    for (run_id, key), wave in closed.items():
        run = started.get(run_id)
        if run is None or run["campaign"] != evidence.rules.ask:
            continue
        opened = _opened(run, key, closed)
        received = [a for a in answers.get(_key_of(evidence, run), ()) if opened <= evidence.clock.at(a.at)]
        yield from _judge(wave, opened, received, evidence)


def _judge(wave: dict[str, Any], opened: datetime, received: list[Arrival], evidence: Evidence) -> Iterator[Finding]:
    where = f"wave {wave['wave']} of run {wave['run_id']}"
    at = instant(wave["at"])
    in_time = [a for a in received if evidence.clock.at(a.at) < at]
    if not wave["responded"] and in_time and wave.get("reach") != "refused":
        yield Finding("P18", f"{where} closed at {wave['at']} without {in_time[0].id}, received at {evidence.clock.at(in_time[0].at)}")
    if wave["responded"] and not [a for a in received if evidence.clock.at(a.at) <= at]:
        yield Finding("P18", f"{where} closed at {wave['at']} as answered, and no answer was received")
    if not wave["responded"] and wave.get("reach") != "refused" and at < opened + evidence.rules.window:
        yield Finding("P12", f"{where} opened at {opened} and closed too early, at {wave['at']}")


def reminders(evidence: Evidence) -> Iterator[Finding]:
    """P18: whoever answered before the first window closed gets no second contact."""
    answered = {w["run_id"] for w in evidence.book.decisions["wave_closed"] if w["wave"] == "tell" and w["responded"]}
    for contact in evidence.book.contacts:
        if contact["run_id"] in answered and contact["wave"] == "remind":
            yield Finding("P18", f"action {contact['action_id']} reminds somebody who had answered")


def open_runs(evidence: Evidence) -> list[str]:
    """Runs that have not ended."""
    ended = {run["run_id"] for run in evidence.book.decisions["run_ended"]}
    mine = (evidence.rules.ask, evidence.rules.burst)
    return [r["run_id"] for r in evidence.book.decisions["run_started"] if r["run_id"] not in ended and r["campaign"] in mine]


def _answers(evidence: Evidence) -> dict[str, list[Arrival]]:
    found: dict[str, list[Arrival]] = defaultdict(list)
    for posted in evidence.posted.values():
        if posted.kind == "answer" and posted.id in evidence.book.arrivals:
            found[posted.key].append(evidence.book.arrivals[posted.id])
    return found


def _key_of(evidence: Evidence, run: dict[str, Any]) -> str:
    posted = evidence.posted.get(run["caused_by"])
    return posted.key if posted else ""


def _opened(run: dict[str, Any], wave: str, closed: dict[tuple[str, str], dict[str, Any]]) -> datetime:
    """The first wave opens with the run, the second when the first has closed."""
    before = closed.get((run["run_id"], WAVES[0])) if wave == WAVES[1] else None
    return instant(before["at"] if before else run["at"])
