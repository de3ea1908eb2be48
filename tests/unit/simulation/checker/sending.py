"""Checks what left the house: once at most, only as permitted, after no stop; and that nothing decided is left without an end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nextwave_contracts.actions import UNHELD_PURPOSES, Contact, ResumeCampaign, StopCampaign, Withdraw
from nextwave_contracts.holds import Hold
from nextwave_contracts.outcomes import CONTACT_MADE, Outcome
from unit.simulation.history import Called, Claimed, OptedOut, Step

Word = tuple[datetime, bool]
"""When it was said, and whether it is a stop: the newer one counts, at the same instant the stop."""


@dataclass(slots=True)
class _Stops:
    """Every stop and lifting up to a step: those that a door accepted, and those that the channels learned themselves."""

    holds: dict[str, list[tuple[Hold, datetime]]] = field(default_factory=lambda: defaultdict(list))
    seen: set[tuple[str, str]] = field(default_factory=set)
    campaigns: dict[str, Word] = field(default_factory=dict)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)

    def follow(self, step: Step) -> None:
        """Takes a step in."""
        match step.took:
            case StopCampaign(campaign=campaign, at=at) | ResumeCampaign(campaign=campaign, at=at) if step.place == "channels":
                word = (at, isinstance(step.took, StopCampaign))
                self.campaigns[campaign] = max(word, self.campaigns.get(campaign, word))
            case Withdraw(run_id=run, action_id=action) if step.place == "channels":
                self.withdrawn.add((run, action))
            case OptedOut(subjects=subjects, channel=channel):
                self._add(Hold(id="", source="provider", kind="opt_out", subjects=subjects, at=step.now, channel=channel), step.now)
            case _ if step.place == "door":
                for hold in (hold for hold in step.said if (hold.source, hold.id) not in self.seen):
                    self.seen.add((hold.source, hold.id))
                    self._add(hold, step.now)

    def _add(self, hold: Hold, accepted_at: datetime) -> None:
        stops = hold.kind in {"opt_out", "complaint"}
        for subject in set(hold.subjects):
            self.holds[subject].append((hold, max(hold.at, accepted_at) if stops else min(hold.at, accepted_at)))

    def against(self, contact: Contact) -> Iterator[str]:
        """What forbids the contact."""
        if self.campaigns.get(contact.campaign, (contact.decided_at, False))[1]:
            yield "after its campaign was stopped"
        if {(contact.run_id, contact.action_id), (contact.run_id, "")} & self.withdrawn:
            yield "after it was withdrawn"
        about = [each for subject in contact.subjects for each in self.holds.get(subject, ())]
        if max((word for hold, at in about if (word := _opt(hold, at, contact))), default=(contact.decided_at, False))[1]:
            yield "after an opt-out was accepted"
        if contact.purpose not in UNHELD_PURPOSES and _complaint_open(about):
            yield "after a complaint was accepted"


def _opt(hold: Hold, at: datetime, contact: Contact) -> Word | None:
    if hold.kind not in {"opt_out", "opt_in"} or hold.channel not in ("", contact.channel) or hold.purpose not in ("", contact.purpose):
        return None
    return at, hold.kind == "opt_out"


def _complaint_open(about: Sequence[tuple[Hold, datetime]]) -> bool:
    words: dict[str, Word] = {}
    for hold, at in about:
        if hold.kind in {"complaint", "complaint_lifted"}:
            words[hold.reference] = max((at, hold.kind == "complaint"), words.get(hold.reference, (at, False)))
    everything = words.get("")
    lifted = everything if everything is not None and not everything[1] else None
    return any(word[1] and (lifted is None or word > lifted) for word in words.values())


def faults(steps: Sequence[Step]) -> Iterator[str]:
    """Every fault of sending."""
    contacts = {message.action_id: message for step in steps for message in step.said if isinstance(message, Contact)}
    stops = _Stops()
    calls: dict[str, list[Called]] = defaultdict(list)
    claims: dict[str, int] = defaultdict(int)
    for step in steps:
        stops.follow(step)
        if isinstance(step.took, Claimed):
            contact = contacts[step.took.action_id]
            claims[contact.action_id] += 1
            yield from (
                f"{contact.action_id} ({contact.channel}) was claimed at {step.now} {why}" for why in _wrong_claim(contact, step.now, stops)
            )
        elif isinstance(step.took, Called):
            calls[step.took.action_id].append(step.took)
            if len(calls[step.took.action_id]) > claims[step.took.action_id]:
                yield f"{step.took.action_id} was sent without a claim of its own"
    for name, made in calls.items():
        if any(call.answer != "refused" for call in made[:-1]):
            yield f"{name} was sent again though it was not surely refused: {made}"
    yield from _ends(contacts, calls, steps)


def _wrong_claim(contact: Contact, now: datetime, stops: _Stops) -> Iterator[str]:
    if not any(span.start <= now < span.end for span in contact.permitted):
        yield "outside its permitted spans"
    if now >= contact.not_after:
        yield f"after its latest time {contact.not_after}"
    yield from stops.against(contact)


def _ends(contacts: dict[str, Contact], calls: dict[str, list[Called]], steps: Sequence[Step]) -> Iterator[str]:
    kinds: dict[str, set[Any]] = defaultdict(set)
    for step in steps:
        if step.place == "scoring" and isinstance(step.took, Outcome):
            kinds[step.took.action_id].add(step.took.kind)
    for name in contacts:
        has_it = any(call.has_it for call in calls[name])
        if not kinds[name]:
            yield f"{name} was decided, and nobody ever said what became of it"
        if not has_it and kinds[name] & (CONTACT_MADE - {"refused"}):
            yield f"{name} never reached the provider, and is said to be {kinds[name]}"
        if any(call.answer == "accepted" for call in calls[name]) and kinds[name] <= {"unknown", "withdrawn", "expired"}:
            yield f"{name} was accepted by the provider, and is said to be only {kinds[name]}"
