"""P10, P11, P14: how the system behaved as a whole: its answers, its processes, its rest, its memory of reasons."""

from __future__ import annotations

from collections.abc import Iterator

from faults.observer import contacts, waves
from faults.observer.evidence import Evidence
from faults.observer.finding import Finding

MEMORY_MB_MAX = 300.0
HONEST = frozenset({"200", "202", "204", "429", "503", "no answer"})
"""What ingest may say to a good request while anything is broken; no answer is judged by itself."""
UNANSWERED_MAX = 3
"""So many good requests may stay without an answer for no reason that we know: the machine is busy with other things, too."""


def answers(evidence: Evidence) -> Iterator[Finding]:
    """P10: a good request is accepted, or told to come back."""
    for status, times in sorted(evidence.statuses.items()):
        if status not in HONEST:
            yield Finding("P10", f"ingest answered {status} to {times} good requests")


def silence(evidence: Evidence) -> Iterator[Finding]:
    """P10: a replica that was let alone answers, and all that was posted is accepted in the end; after healing all are ready."""
    if len(evidence.unanswered) > UNANSWERED_MAX:
        longest = max(evidence.unanswered, key=lambda one: one[1])
        yield Finding("P10", f"{len(evidence.unanswered)} good requests got no answer, for instance {longest[0]} in {longest[1]:.1f} s")
    yield from (Finding("P10", f"{name} was never accepted, also when all was healed") for name in evidence.unaccepted)
    yield from (Finding("P10", f"{name} is not ready although all is healed") for name in evidence.unready)


def upgrade(evidence: Evidence) -> Iterator[Finding]:
    """P13: two versions were really at work."""
    if "roll" in evidence.did and not evidence.rolled:
        yield Finding("P13", "no replica was ever ready on the previous build")


def processes(evidence: Evidence) -> Iterator[Finding]:
    """P10: nothing ends but what was killed."""
    for ended in evidence.ended:
        yield Finding("P10", f"{ended.name} (pid {ended.pid}) ended, and nobody had killed it")


def rest(evidence: Evidence) -> Iterator[Finding]:
    """P11: everything has come to its end in time."""
    for what in unfinished(evidence)[:20]:
        yield Finding("P11", f"not at rest: {what}")


def replays(evidence: Evidence) -> Iterator[Finding]:
    """P14: a replay says what the decision said."""
    for name, difference in evidence.replays.items():
        if difference:
            yield Finding("P14", f"decision {name}: {difference}")


def memory(evidence: Evidence) -> Iterator[Finding]:
    """P16: no service holds more than it may."""
    for name, most in evidence.memory.items():
        if most > MEMORY_MB_MAX:
            yield Finding("P16", f"{name} held {most:.0f} MB; at most {MEMORY_MB_MAX:.0f} are allowed")


def unfinished(evidence: Evidence) -> list[str]:
    """What has not come to its end yet; empty when all is at rest."""
    book = evidence.book
    taken = book.taken
    left = [f"{name} is not taken in" for name in book.arrivals if name in evidence.posted and name not in taken]
    left += [
        f"{posted.id} is not on the topic" for posted in evidence.posted.values() if posted.accepted_at and posted.id not in book.arrivals
    ]
    left += [f"outcome {o['id']} is not taken in" for o in book.outcomes if o["id"] not in taken]
    left += [f"action {name} has no outcome" for name in contacts.unsettled(evidence)]
    left += [f"run {name} is open" for name in waves.open_runs(evidence)]
    left += [f"question {finding.seen}" for finding in waves.runs(evidence) if finding.promise == "P1"]
    return left + book.missing
