"""All checks together: what is broken, and what that says of each promise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from faults.observer import contacts, intake, service, waves
from faults.observer.evidence import Evidence
from faults.observer.finding import PROMISES, Finding, Promise

CHECKS: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    intake.lost,
    intake.doubled,
    intake.shuffled,
    intake.reordered,
    intake.mistaken,
    intake.imported,
    intake.poison,
    waves.runs,
    waves.closings,
    waves.reminders,
    contacts.dispatches,
    contacts.strangers,
    contacts.checkups,
    contacts.stops,
    contacts.consents,
    contacts.hours,
    contacts.expiries,
    contacts.caps,
    contacts.reconciliation,
    service.answers,
    service.silence,
    service.upgrade,
    service.processes,
    service.rest,
    service.replays,
    service.memory,
)


def judge(evidence: Evidence) -> list[Finding]:
    """Everything that is broken."""
    return [finding for check in CHECKS for finding in check(evidence)]


def by_promise(findings: Iterable[Finding], did: frozenset[str]) -> dict[Promise, list[str]]:
    """For each promise judged, what broke it. That two versions work side by side is judged only where two were at work."""
    held: dict[Promise, list[str]] = {promise: [] for promise in PROMISES if promise != "P13" or "roll" in did}
    for finding in findings:
        held[finding.promise].append(finding.seen)
        if "P13" in held and finding.promise != "P13":
            held["P13"].append(finding.seen)
    return held
