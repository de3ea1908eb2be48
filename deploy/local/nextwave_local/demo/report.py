"""The demo's report: the same numbers counted inside the ring and outside it, and whether they agree. PURE."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nextwave_local.demo import recount
from nextwave_local.demo.evidence import Evidence
from nextwave_local.demo.recount import FunnelRow, Latency
from nextwave_local.demo.standing import Posted, Standing


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One sum that must come out: `numbers` are what was compared, each with where it comes from."""

    name: str
    numbers: dict[str, int]
    holds: bool


class Seconds(msgspec.Struct, frozen=True, kw_only=True):
    """Wall seconds of the parts of a run."""

    start: float
    replay: float
    drain: float
    count: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed, and written as JSON; docs/demo.md says what each number means and where it comes from."""

    accepted: int
    taken_in: int
    duplicates_dropped: int
    customers: int
    candidates: int
    sent: int
    deferred: int
    withheld: int
    actions_by_channel: dict[str, int]
    outcomes: dict[str, int]
    dispatched_twice: int
    lost: int
    latency_ms: Latency
    touchpoints_by_source: dict[str, int]
    bands: dict[str, int]
    stages: dict[str, int]
    funnel: list[FunnelRow]
    gate_reasons: dict[str, dict[str, int]]
    runs: dict[str, int]
    """By campaign, customers who entered, the held out ones included."""
    run_ends: dict[str, int]
    goals: dict[str, int]
    merges: int
    rejected: int
    refused: int
    retried: int
    reconciliation: list[Check]
    holds: bool
    """Whether every check of the reconciliation came out."""
    settled: bool
    """Whether the ring came to rest before it was counted."""
    seed: int
    speed: float
    seconds: Seconds


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report is made from."""

    posted: Posted
    last: Standing
    """When the last row was in; bands and stages are reported as they were then, since silence goes on changing them."""
    standing: Standing
    """When everything had come to rest; all sums are of this."""
    evidence: Evidence
    settled: bool
    seed: int
    speed: float
    seconds: Seconds


def report(given: Given) -> Report:
    """The report of one run."""
    evidence, standing, posted = given.evidence, given.standing, given.posted
    results = recount.results(evidence)
    checks = list(_checks(given))
    runs: dict[str, int] = {}
    for run in evidence.runs.values():
        runs[run.campaign] = runs.get(run.campaign, 0) + 1
    return Report(
        accepted=accepted(posted, standing),
        taken_in=standing.taken_in,
        duplicates_dropped=standing.duplicates_dropped,
        customers=standing.customers,
        candidates=sum(results.values()),
        sent=results["act"],
        deferred=results["defer"],
        withheld=results["withhold"],
        actions_by_channel=_by_channel(evidence),
        outcomes=recount.outcome_counts(evidence),
        dispatched_twice=recount.dispatched_twice(evidence),
        lost=lost(given),
        latency_ms=recount.latency(evidence),
        touchpoints_by_source={source: sum(subjects.values()) for source, subjects in standing.sources.items()},
        bands=given.last.bands,
        stages=given.last.stages,
        funnel=recount.funnel(evidence),
        gate_reasons=recount.reasons(evidence),
        runs=dict(sorted(runs.items())),
        run_ends=dict(evidence.run_ends.most_common()),
        goals=dict(sorted(evidence.goals.items())),
        merges=evidence.merged,
        rejected=evidence.rejected,
        refused=posted.refused + standing.people_failed,
        retried=posted.retried,
        reconciliation=checks,
        holds=all(check.holds for check in checks),
        settled=given.settled,
        seed=given.seed,
        speed=given.speed,
        seconds=given.seconds,
    )


def accepted(posted: Posted, standing: Standing) -> int:
    """Different touchpoints that a door answered with 2xx: ours by their ids, those of the simulated people by their count."""
    return len(posted.accepted) + standing.people_accepted


def lost(given: Given) -> int:
    """Accepted touchpoints that were not taken in: ours one by one; of the people's the number that is missing."""
    ours = given.posted.accepted
    of_people = len(given.evidence.taken.keys() - ours)
    return recount.lost(given.evidence, ours) + max(0, given.standing.people_accepted - of_people)


def _checks(given: Given) -> Iterator[Check]:
    evidence, standing = given.evidence, given.standing
    results = recount.results(evidence)
    yield _equal("accepted = taken in", doors=accepted(given.posted, standing), scoring=standing.taken_in, topic=len(evidence.taken))
    yield _none("no touchpoint lost", lost=lost(given), rejected=evidence.rejected, refused=given.posted.refused)
    again = sum(count > 1 for count in evidence.taken.values())
    yield _none("no effect twice", touchpoints=again, messages=evidence.doubled)
    repeated = evidence.touchpoint_records - len(evidence.touchpoints)
    yield _equal("repetitions dropped", topic=repeated, scoring=standing.duplicates_dropped)
    yield _equal("candidates = sent + deferred + withheld", orchestrator=standing.candidates, topic=sum(results.values()))
    for result, name in (("act", "sent"), ("defer", "deferred"), ("withhold", "withheld")):
        yield _equal(f"{name} by both counts", orchestrator=standing.results.get(result, 0), topic=results[result])  # type: ignore[index]
    deliveries = sum(standing.deliveries.values())
    yield _equal("sent = contacts = deliveries", sent=results["act"], contacts=len(evidence.contacts), deliveries=deliveries)
    outcomes = recount.outcome_counts(evidence)
    yield _equal("outcomes by both counts", channels=sum(standing.outcomes.values()), topic=sum(outcomes.values()))
    unknown = len(evidence.dispatches.keys() - evidence.contacts.keys())
    yield _none("at most one dispatch per action", twice=recount.dispatched_twice(evidence), without_contact=unknown)


def _equal(name: str, **numbers: int) -> Check:
    return Check(name=name, numbers=numbers, holds=len(set(numbers.values())) == 1)


def _none(name: str, **numbers: int) -> Check:
    return Check(name=name, numbers=numbers, holds=not any(numbers.values()))


def _by_channel(evidence: Evidence) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, contact in evidence.contacts.values():
        counts[contact.channel] = counts.get(contact.channel, 0) + 1
    return dict(sorted(counts.items()))
