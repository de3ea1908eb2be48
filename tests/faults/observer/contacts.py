"""P2, P6, P7, P11, P12, P17: what reached people, by the providers' own ledgers, against what was decided and what they had said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from faults.observer.book import instant
from faults.observer.evidence import Call, Evidence, Posted
from faults.observer.finding import Finding

STOP_SECONDS = 1.0
CALL_SECONDS = 0.7
"""How long a call that was begun may take until a provider on a busy machine has read it; the ledger says when that was."""
CLAIMED_SECONDS = 0.8
"""How long after its claim a send may begin."""
SEND_SECONDS = 3.0
"""How long a call may take from the claim until the provider has read it; what is past its latest time is more than that late."""
DAY_HOURS = (8, 21)
"""Texts reach people between these local hours, in Great Britain as in California."""
UNSENT = frozenset({"failed", "expired", "withdrawn"})
SETTLED = frozenset(
    {"delivered", "unknown", "failed", "expired", "withdrawn", "bounced", "refused", "accepted", "opened", "clicked", "replied", "answered"}
)


def dispatches(evidence: Evidence) -> Iterator[Finding]:
    """P2: at most one accepted call per action, each for a contact that was decided; P4: one contact per decision."""
    accepted = Counter(call.action_id for call in evidence.calls if call.accepted)
    decided = {contact["action_id"]: contact for contact in evidence.book.contacts}
    for name, times in accepted.items():
        if times > 1:
            yield Finding("P2", f"a provider accepted action {name} {times} times")
        if name not in decided:
            yield Finding("P2", f"a provider received action {name}, which nobody decided")
    for name, times in Counter(contact["action_id"] for contact in evidence.book.contacts).items():
        if times > 1:
            yield Finding("P4", f"action {name} was decided {times} times")
    acted = {d["action_id"] for d in evidence.book.decisions["decision"] if d["result"] == "act"}
    yield from (Finding("P1", f"action {name} was decided and its contact was not published") for name in sorted(acted - set(decided)))
    yield from (Finding("P4", f"action {name} has a contact and no decision") for name in sorted(set(decided) - acted))
    told = {o["action_id"] for o in evidence.book.outcomes if o["kind"] not in UNSENT}
    for name in sorted(set(accepted) & set(decided) - told):
        yield Finding("P2", f"a provider accepted action {name}, and no outcome says that it may have been sent")


def strangers(evidence: Evidence) -> Iterator[Finding]:
    """P2: whoever is contacted is the one who asked."""
    runs = {run["run_id"]: run["caused_by"] for run in evidence.book.decisions["run_started"]}
    asked = {c["action_id"]: evidence.posted.get(runs.get(c["run_id"], "")) for c in evidence.book.contacts}
    for call in evidence.calls:
        posted = asked.get(call.action_id)
        person = evidence.people.get(posted.customer) if posted else None
        if person and call.to not in (person.email, person.phone):
            yield Finding("P2", f"{call.channel} {call.action_id} went to {call.to}; {person.name} had asked")


def checkups(evidence: Evidence) -> Iterator[Finding]:
    """P11: whoever asks when all is healed is contacted."""
    runs = {run["run_id"]: run["caused_by"] for run in evidence.book.decisions["run_started"]}
    accepted = {call.action_id for call in evidence.calls if call.accepted}
    reached = {runs.get(c["run_id"]) for c in evidence.book.contacts if c["action_id"] in accepted}
    for name in evidence.checkups:
        posted = evidence.posted.get(name)
        if posted is None:
            yield Finding("P11", f"{name} was never asked: what its customer said before was not accepted though all was healed")
        elif name not in reached and posted.accepted_at:
            yield Finding("P11", f"{name} was asked when all was healed, and nobody was contacted")


def unsettled(evidence: Evidence) -> list[str]:
    """Contacts of which nothing was heard."""
    heard = {o["action_id"] for o in evidence.book.outcomes if o["kind"] in SETTLED}
    return [c["action_id"] for c in evidence.book.contacts if c["action_id"] not in heard]


def stops(evidence: Evidence) -> Iterator[Finding]:
    """P7: nothing on the channels of a stop (all after a complaint) more than a second after its 2xx, until they agree again."""
    by_address: dict[str, list[Call]] = defaultdict(list)
    for call in evidence.calls:
        if call.accepted:
            by_address[call.to].append(call)
    for posted in evidence.posted.values():
        person = evidence.people.get(posted.customer)
        if posted.kind not in ("stop", "complaint") or not posted.accepted_at or person is None:
            continue
        again = min((p.first_at for p in evidence.posted.values() if _agrees_again(p, posted)), default=float("inf"))
        called = [(c, call) for c in posted.channels or ("sms", "email") for call in by_address[person.address(c)] if call.at < again]
        yield from (finding for channel, call in called for finding in _late(call, posted, channel))


def _agrees_again(grant: Posted, stop: Posted) -> bool:
    return grant.kind == "consent" and grant.customer == stop.customer and grant.first_at > stop.first_at


def _late(call: Call, posted: Posted, channel: str) -> Iterator[Finding]:
    late = call.at - posted.accepted_at
    if late > STOP_SECONDS + CALL_SECONDS and call.channel == channel:
        yield Finding("P7", f"{channel} {call.action_id} to {posted.customer} {late:.2f} s after its {posted.kind} {posted.id}")


def consents(evidence: Evidence) -> Iterator[Finding]:
    """P6: nobody is contacted who never agreed, nor on a stopped channel once the orchestrator has read past the stop."""
    place = {u.cause: u.order for u in evidence.book.updates if u.cause in evidence.posted}
    grants = defaultdict[str, list[float]](list)
    for posted in evidence.posted.values():
        if posted.kind == "consent":
            grants[posted.customer].append(posted.first_at)
    for customer, records in _by_person(evidence).items():
        if customer not in grants:
            yield from (Finding("P6", f"{customer} never agreed: decision {r['decision_id']}") for r in records if r.get("result") == "act")
        for posted in (p for p in evidence.posted.values() if p.customer == customer and p.kind in ("stop", "complaint")):
            if posted.id in place and not any(at > posted.first_at for at in grants[customer]):
                yield from _after(posted, records, place)


def _by_person(evidence: Evidence) -> dict[str, list[dict[str, Any]]]:
    """What was decided about each person, in the topic's order."""
    names = {u.customer: evidence.posted[u.cause].customer for u in evidence.book.updates if u.cause in evidence.posted}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for customer, records in evidence.book.records.items():
        if customer in names:
            found[names[customer]] += records
    return found


def _after(posted: Posted, records: list[dict[str, Any]], place: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    """Decisions to contact on the stop's channels that stand behind what came after the stop in the customer's own partition."""
    partition, offset = place[posted.id]
    known = False
    for record in records:
        at = place.get(record.get("caused_by", ""), (-1, -1))
        known = known or (at[0] == partition and at[1] > offset)
        if known and record.get("result") == "act" and record["channel"] in (posted.channels or ("sms", "email")):
            yield Finding("P6", f"decision {record['decision_id']} contacts {posted.customer} on {record['channel']} after {posted.id}")


def hours(evidence: Evidence) -> Iterator[Finding]:
    """P12: no text at night where the person lives, none before it was decided, none before its wave.

    A text that was claimed before the night may begin, and be on its way to the provider, for 1.5 s: three minutes of business time.
    """
    decided = {contact["action_id"]: contact for contact in evidence.book.contacts}
    tolerance = timedelta(seconds=evidence.clock.speed)
    on_its_way = timedelta(seconds=(CLAIMED_SECONDS + CALL_SECONDS) * evidence.clock.speed)
    for call in evidence.calls:
        person = evidence.person_at(call.to)
        if not call.accepted or person is None:
            continue
        local = call.business.astimezone(ZoneInfo(person.zone))
        if call.channel == "sms" and not (DAY_HOURS[0] <= local.hour and (local - on_its_way).hour < DAY_HOURS[1]):
            yield Finding("P12", f"text {call.action_id} to {person.name} at {local:%H:%M} in {person.zone}")
        contact = decided.get(call.action_id)
        if contact and call.business < instant(contact["decided_at"]) - tolerance:
            yield Finding(
                "P12", f"{call.channel} {call.action_id} was sent at {call.business}, before its decision at {contact['decided_at']}"
            )


def expiries(evidence: Evidence) -> Iterator[Finding]:
    """P11: nothing is sent past its latest time."""
    latest = {contact["action_id"]: instant(contact["not_after"]) for contact in evidence.book.contacts}
    tolerance = timedelta(seconds=SEND_SECONDS * evidence.clock.speed)
    for call in evidence.calls:
        if call.accepted and call.action_id in latest and call.business > latest[call.action_id] + tolerance:
            yield Finding("P11", f"action {call.action_id} was sent at {call.business}, past {latest[call.action_id]}")


def caps(evidence: Evidence) -> Iterator[Finding]:
    """P17: of a burst of candidates for one customer exactly as many contacts are made as the cap allows."""
    sent: dict[str, set[str]] = defaultdict(set)
    accepted = {call.action_id for call in evidence.calls if call.accepted}
    given_back = {o["action_id"] for o in evidence.book.outcomes if o["kind"] in UNSENT}
    made: dict[str, set[str]] = defaultdict(set)
    for contact in evidence.book.contacts:
        if contact["campaign"] == evidence.rules.burst:
            made[contact["customer_id"]].add(contact["action_id"])
            if contact["action_id"] in accepted:
                sent[contact["customer_id"]].add(contact["action_id"])
    for customer, actions in made.items():
        kept = actions - (given_back - accepted)
        if len(sent[customer]) > evidence.rules.cap or len(kept) > evidence.rules.cap:
            yield Finding("P17", f"{customer} got {len(sent[customer])} contacts of {len(kept)} decided; the cap is {evidence.rules.cap}")
    burst = {r["customer_id"] for r in evidence.book.decisions["run_started"] if r["campaign"] == evidence.rules.burst}
    runs = Counter(r["customer_id"] for r in evidence.book.decisions["run_started"] if r["campaign"] == evidence.rules.burst)
    for customer in burst:
        if len(made[customer]) < min(evidence.rules.cap, runs[customer]):
            yield Finding(
                "P17",
                f"{customer} had {runs[customer]} candidates and only {len(made[customer])} contacts; the cap is {evidence.rules.cap}",
            )


def reconciliation(evidence: Evidence) -> Iterator[Finding]:
    """P4: every candidate ends in exactly one decision."""
    for name, times in Counter(d["decision_id"] for d in evidence.book.decisions["decision"]).items():
        if times > 1:
            yield Finding("P4", f"decision {name} was made {times} times")
