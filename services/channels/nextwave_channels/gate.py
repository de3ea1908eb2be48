"""The checks that can have changed since the decision, once more, purely: they run in the transaction that claims the send.

Checks and order are those of the decision's gate: campaign, consent and suppression, holds, hours, freshness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
from nextwave_contracts.actions import UNHELD_PURPOSES, UNREVIEWED_PURPOSES, Contact, Span
from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.holds import COMPLAINT_HOLDS_FOR, Hold, HoldKind
from nextwave_contracts.reasons import GateCode

from nextwave_channels.confirming import is_confirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one name of a customer (keyed hash) said last about a scope: stop (`stopped`), or go on.

    `opt`: consent for channel and purpose (empty: all). `complaint`: the matter `reference` is open, or closed.
    `review`: words that may be a refusal on the channel wait for a reader under `reference`, or were read.
    `address`: the address that `subject` names takes nothing on the channel; no consent changes that.
    """

    subject: str
    kind: Literal["opt", "complaint", "review", "address"]
    channel: str = ""
    purpose: str = ""
    reference: str = ""
    stopped: bool
    at: datetime
    source: str = ""
    reason: str = ""

    @property
    def scope(self) -> tuple[str, str, str, str, str]:
        """What it is about: a newer fact of the same scope replaces it."""
        return self.subject, self.kind, self.channel, self.purpose, self.reference

    @property
    def weight(self) -> tuple[datetime, bool]:
        """Newer wins; at the same instant the stop wins."""
        return self.at, self.stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """What is known of stops when it is asked: facts by subject, and campaigns that stand still."""

    facts: Mapping[str, tuple[Fact, ...]]
    campaigns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Claim:
    """Send it now."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now, but from `until` (business time) on; `why` where it is not the hours."""

    until: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Never:
    """It must not be sent: the outcome, and the reason."""

    kind: Literal["withdrawn", "expired"]
    reason: GateCode


Ruling = Claim | Later | Never


def check(contact: Contact, stops: Stops, now: datetime, begins: datetime) -> Ruling:
    """What the dispatcher may do with a due contact, when a send that is claimed `now` may begin as late as `begins`."""
    reason = forbidden(contact, stops, now)
    if reason is not None:
        return Never("withdrawn", reason)
    opens = opening(contact.permitted, now, begins)
    if begins >= contact.not_after or opens is None or opens >= contact.not_after:
        return Never("expired", "expired")
    return Claim() if opens <= now else Later(opens)


def forbidden(contact: Contact, stops: Stops, now: datetime) -> GateCode | None:
    """Why the contact must not be sent now, at whatever hour, or None."""
    if contact.campaign in stops.campaigns:
        return "campaign_stopped"
    facts = [fact for subject in contact.subjects for fact in stops.facts.get(subject, ())]
    # What confirms a stop is true only while that stop is in force; everything else may go out only while none is.
    if _opted_out(contact, facts) is not is_confirmation(contact) or _address_closed(contact, facts):
        return "suppressed"
    if contact.purpose not in UNHELD_PURPOSES and _complaint_open(facts, now):
        return "complaint_open"
    if contact.purpose not in UNREVIEWED_PURPOSES and _under_review(contact, facts):
        return "hold"
    return None


def opening(permitted: Iterable[Span], now: datetime, begins: datetime) -> datetime | None:
    """`now` inside a permitted span that also holds `begins`, else the start of the next one, else None."""
    return min((max(span.start, now) for span in permitted if begins < span.end and span.start < span.end), default=None)


def facts_of(hold: Hold, appended_at: datetime) -> list[Fact]:
    """The facts that a hold states, one for each name of the customer. `appended_at` is the broker's stamp, the one clock of all doors.

    A stop counts from it, or from its own time where that is later; a lifting keeps its own time, or counts from the stamp where that is
    earlier. So no door's or source's wrong clock lets a stop lose to an earlier grant, or a grant outweigh a later stop.
    """
    kind, stopped = _SAID[hold.kind]
    in_order = stopped or kind == "review"  # the end of a review comes after its beginning, so it counts from its stamp as that does
    return [
        Fact(
            subject=subject,
            kind=kind,
            channel=hold.channel if kind == "opt" or hold.kind == "review" else "",
            purpose=hold.purpose if kind == "opt" else "",
            reference=hold.reference if kind != "opt" else "",
            stopped=stopped,
            at=max(hold.at, appended_at) if in_order else min(hold.at, appended_at),
            source=hold.source,
            reason=hold.reason,
        )
        for subject in dict.fromkeys(hold.subjects)
    ]


OF_VERDICTS: frozenset[HoldKind] = frozenset({"review_lifted", "opt_out"})
"""What a review's verdict says, where there is a reference."""


def in_full(hold: Hold, known: Iterable[Fact]) -> Hold:
    """A review's verdict that names one by whom its words were said counts for all names by which they were; anything else is as it is."""
    if hold.kind not in OF_VERDICTS or not hold.reference:
        return hold
    said_by = {fact.subject for fact in known if fact.kind == "review" and fact.stopped and fact.reference == hold.reference}
    if said_by.isdisjoint(hold.subjects):
        return hold
    return msgspec.structs.replace(hold, subjects=tuple(dict.fromkeys((*hold.subjects, *sorted(said_by)))))


def newest(known: Iterable[Fact], said: Iterable[Fact]) -> list[Fact]:
    """For each scope the fact in force, in any order of hearing; sorted by scope, so that rows are always written in one order."""
    force: dict[tuple[str, ...], Fact] = {}
    for fact in (*known, *said):
        rival = force.get(fact.scope)
        if rival is None or fact.weight > rival.weight:
            force[fact.scope] = fact
    return [force[scope] for scope in sorted(force)]


def stops_anew(said: Fact, known: Iterable[Fact]) -> bool:
    """Whether a stop said by text is news by what was `known` of the same name: texts were not stopped, by a narrower word either."""
    words = [
        f for f in known if f.subject == said.subject and f.kind == "opt" and f.channel in {"", "sms"} and f.purpose in {"", said.purpose}
    ]
    before = max(words, key=lambda fact: fact.weight, default=None)
    return said.stopped and (before is None or (not before.stopped and said.weight > before.weight))


_SAID: Mapping[HoldKind, tuple[Literal["opt", "complaint", "review"], bool]] = {
    "opt_out": ("opt", True),
    "opt_in": ("opt", False),
    "complaint": ("complaint", True),
    "complaint_lifted": ("complaint", False),
    "review": ("review", True),
    "review_lifted": ("review", False),
}
"""What each kind of hold is about, and whether it stops."""


def _opted_out(contact: Contact, facts: Iterable[Fact]) -> bool:
    """All subjects name one customer, so the newest word about this channel and purpose counts, by whichever name it was said."""
    said = [f for f in facts if f.kind == "opt" and f.channel in {"", contact.channel} and f.purpose in {"", contact.purpose}]
    return bool(said) and max(said, key=lambda fact: fact.weight).stopped


def _address_closed(contact: Contact, facts: Iterable[Fact]) -> bool:
    """Only facts about the very address count: a customer's other addresses may be good.

    The build before does not say which it is: then any of the customer's may be, but on a channel that is reached by no such name, none.
    """
    named = CHANNELS[contact.channel].identifier != ""
    names = {contact.address_subject} if contact.address_subject else set(contact.subjects if named else ())
    said = [f for f in facts if f.kind == "address" and f.channel in {"", contact.channel} and f.subject in names]
    return bool(said) and max(said, key=lambda fact: fact.weight).stopped


def _complaint_open(facts: Iterable[Fact], now: datetime) -> bool:
    """A lifting without a reference closes every matter opened up to then; what nobody lifts lapses."""
    matters: dict[str, Fact] = {}
    for fact in facts:
        rival = matters.get(fact.reference)
        if fact.kind == "complaint" and (rival is None or fact.weight > rival.weight):
            matters[fact.reference] = fact
    everything = matters.get("")
    lifted = everything.weight if everything is not None and not everything.stopped else None
    held = (fact for fact in matters.values() if fact.stopped and now < fact.at + COMPLAINT_HOLDS_FOR)
    return any(lifted is None or fact.weight > lifted for fact in held)


def _under_review(contact: Contact, facts: Iterable[Fact]) -> bool:
    """Each possible refusal on this channel holds until its own review is over, however long that takes."""
    said = [fact for fact in facts if fact.kind == "review"]
    over = {fact.reference for fact in said if not fact.stopped}
    return any(fact.stopped and fact.channel in {"", contact.channel} and fact.reference not in over for fact in said)
