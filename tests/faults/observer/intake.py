"""P1, P3, P4, P5, P8: from the door to the profile. Everything accepted is taken in, once, in order, and nothing else is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from faults.observer.book import Update
from faults.observer.evidence import Evidence
from faults.observer.finding import Finding


def lost(evidence: Evidence) -> Iterator[Finding]:
    """P1: every id that got a 2xx is on the topic, in the profile, in its history and in the sums."""
    book = evidence.book
    taken = book.taken
    for posted in evidence.posted.values():
        if posted.accepted_at and posted.id not in book.arrivals:
            yield Finding("P1", f"{posted.id} ({posted.kind}) got a 2xx after {posted.attempts} attempts and is not on the topic")
    for arrival in book.arrivals.values():
        if arrival.id in evidence.posted and arrival.id not in taken:
            yield Finding("P1", f"{arrival.id} ({arrival.type}) is on the topic and was never taken into a profile")
    for text in book.missing:
        yield Finding("P1", f"a message is missing: {text}")
    yield from _histories(evidence)
    yield from _sums(evidence)


def _histories(evidence: Evidence) -> Iterator[Finding]:
    theirs: dict[str, set[str]] = defaultdict(set)
    for update in evidence.book.updates:
        if update.cause in evidence.posted:
            theirs[evidence.book.root(update.customer)].add(update.cause)
    for customer, told in evidence.timelines.items():
        lines = Counter(told)
        for name in sorted(theirs[customer] - set(lines)):
            yield Finding("P1", f"{name} was taken in and is not in the history of {customer}")
        for name, times in lines.items():
            if times > 1:
                yield Finding("P4", f"{name} stands {times} times in the history of {customer}")


def _sums(evidence: Evidence) -> Iterator[Finding]:
    """Orders and revenue of each profile, recounted from the distinct touchpoints on the topic."""
    book = evidence.book
    wanted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    newest: dict[str, Update] = {}
    for update in book.updates:
        root = book.root(update.customer)
        if root == update.customer and (root not in newest or update.version >= newest[root].version):
            newest[root] = update
        posted = evidence.posted.get(update.cause)
        if posted is not None and posted.kind == "order":
            wanted[root][0] += 1
            wanted[root][1] += posted.amount
    unique = Counter(update.cause for update in book.updates if update.cause)
    for customer, (orders, revenue) in wanted.items():
        told = newest.get(customer)
        if told is None or (told.orders, told.revenue) != (orders, revenue):
            seen = None if told is None else (told.orders, told.revenue)
            yield Finding("P4", f"{customer} ordered {orders} times for {revenue}; the profile says {seen}")
    for cause, times in unique.items():
        if times > 1:
            yield Finding("P4", f"{cause} was taken into a profile {times} times")


def doubled(evidence: Evidence) -> Iterator[Finding]:
    """P4: a message has one content and one effect, also between services."""
    yield from (Finding("P4", text) for text in evidence.book.wrong)
    outcomes = Counter(outcome["id"] for outcome in evidence.book.outcomes)
    yield from (Finding("P4", f"outcome {name} was told {times} times") for name, times in outcomes.items() if times > 1)
    told = {outcome["id"] for outcome in evidence.book.outcomes}
    yield from (Finding("P1", f"outcome {name} never reached a profile") for name in sorted(told - evidence.book.taken))


def shuffled(evidence: Evidence) -> Iterator[Finding]:
    """P3: of one Kafka key, profiles and decisions see the touchpoints in accepted order."""
    place = {update.cause: (update.customer, update.order) for update in reversed(evidence.book.updates) if update.cause}
    for key, names in evidence.book.accepted_order.items():
        last: dict[tuple[str, int], tuple[int, str]] = {}
        for name in names:
            if name not in place:
                continue
            customer, (partition, offset) = place[name]
            way = (customer, partition)
            if way in last and last[way][0] > offset:
                yield Finding("P3", f"{name} was accepted after {last[way][1]} ({key}) and taken in before it")
            last[way] = (offset, name)


def reordered(evidence: Evidence) -> Iterator[Finding]:
    """P3: what was decided about a customer follows the order in which the customer's touchpoints were taken in."""
    place = {update.cause: update.order for update in reversed(evidence.book.updates) if update.cause in evidence.posted}
    for customer, records in evidence.book.records.items():
        last = (-1, "")
        for record in records:
            cause = record.get("caused_by", "")
            if cause in place and place[cause][1] < last[0]:
                yield Finding("P3", f"{customer}: {record['type']} because of {cause} stands behind one because of {last[1]}")
            last = max(last, (place[cause][1], cause)) if cause in place else last


def mistaken(evidence: Evidence) -> Iterator[Finding]:
    """P4: all that one person did ends in one profile, and nobody else's does."""
    book = evidence.book
    profiles: dict[str, set[str]] = defaultdict(set)
    persons: dict[str, set[str]] = defaultdict(set)
    for update in book.updates:
        posted = evidence.posted.get(update.cause)
        if posted is not None:
            profiles[posted.customer].add(book.root(update.customer))
            persons[book.root(update.customer)].add(posted.customer)
    yield from (
        Finding("P4", f"{who} is in {len(found)} profiles") for who, found in profiles.items() if len(found) > 1 and who in evidence.whole
    )
    yield from (Finding("P4", f"profile {one} holds {', '.join(sorted(who))}") for one, who in persons.items() if len(who) > 1)


def imported(evidence: Evidence) -> Iterator[Finding]:
    """P5: what is said to have happened long ago is kept, and starts nothing."""
    started = {run["caused_by"] for run in evidence.book.decisions["run_started"]}
    for posted in evidence.posted.values():
        if posted.kind == "late_ask" and posted.id in started:
            yield Finding("P5", f"{posted.id} happened years ago and started a run")


def poison(evidence: Evidence) -> Iterator[Finding]:
    """P8: each unreadable message is rejected with its place and a reason, and nothing else is."""
    told = {(topic, partition, offset): reason for topic, partition, offset, reason in evidence.book.rejected}
    strange = evidence.book.strange
    read_by_processors = [place for place in sorted(strange) if place[0] in ("touchpoints", "holds", "customers", "actions", "outcomes")]
    for place in read_by_processors:
        if not told.get(place):
            yield Finding("P8", f"the unreadable message at {'/'.join(map(str, place))} was not rejected")
    for place in sorted(set(told) - strange, key=str):
        yield Finding("P8", f"{'/'.join(map(str, place))} was rejected ({told[place]}) although it is one of ours")
