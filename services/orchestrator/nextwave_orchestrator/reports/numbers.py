"""The numbers of a report, each with its definition, out of what was booked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from nextwave_orchestrator.reports.books import Entry, Sums
from nextwave_orchestrator.reports.lift import Arm, Lift, lift, share
from nextwave_orchestrator.responses.counting import UNMADE

Booked = Sequence[tuple[Entry, Sums]]


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """What is reported of a group; money in whole minor units of the house's currency. `DEFINITIONS` says what each number is."""

    entered: int
    held_out: int
    candidates: int
    acts: int
    defers: int
    withholds: int
    contacts: int
    direct_cost: int
    indirect_cost: int
    reached: int
    missed: int
    refused: int
    failed: int
    responses: int
    response_rate: float | None
    goals: int
    conversion_rate: float | None
    goal_value: int
    benefit: int
    untouched_benefit: int
    profit: int


DEFINITIONS: Mapping[str, str] = {
    "entered": "runs that began, without those held out",
    "held_out": "runs that began and are never contacted, of the campaign's own and of the house's holdout",
    "candidates": "contacts that a wave wanted and that were decided, each time anew; the sum of acts, defers and withholds",
    "acts": "candidates that were handed to a channel",
    "defers": "candidates put off to an instant, at which they are decided anew",
    "withholds": "candidates that were not contacted",
    "contacts": "contacts that a provider took, attempts at a call each by itself",
    "direct_cost": "what these contacts cost, by `channel_costs` of the policy in force when they were decided",
    "indirect_cost": "direct cost times `loading_share` of the policy in force when it was booked, each contact rounded",
    "reached": "waves that closed with a contact that was opened, clicked, replied to or answered, or said to be by the customer",
    "missed": "waves that closed with a contact that had no sign of the customer, or bounced, or found nobody",
    "refused": "waves that closed with a refusal",
    "failed": "waves whose contact could not be made, or was withdrawn or too late",
    "responses": "waves that closed with a response after a contact; who responds uncontacted is not among them",
    "response_rate": "responses / (reached + missed + refused)",
    "goals": "goals that were reached within their time by runs that are not held out, with or without a contact",
    "conversion_rate": "goals / entered; of a short span of days it may mix runs that began before",
    "goal_value": "what these goals are worth by their campaigns; one event counts in every campaign that has it for its goal",
    "benefit": "what goal events are worth (once each), shared by the contacts in `credit_within` before it, each alike, in exact parts",
    "untouched_benefit": "what goal events are worth where no contact came before; nobody is credited with it",
    "profit": "benefit - direct_cost - indirect_cost",
}
assert tuple(DEFINITIONS) == Numbers.__struct_fields__


class Origin(NamedTuple):
    """Whose a campaign's version is, and how it works."""

    department: str = ""
    strategy: str = ""


Origins = Mapping[tuple[str, int], Origin]
DIMENSIONS: Mapping[str, Callable[[Entry, Origins], str | int]] = {
    "campaign": lambda entry, _: entry.campaign,
    "version": lambda entry, _: entry.version,
    "wave": lambda entry, _: entry.wave,
    "segment": lambda entry, _: entry.segment,
    "channel": lambda entry, _: entry.channel,
    "department": lambda entry, origins: origins.get((entry.campaign, entry.version), Origin()).department,
    "strategy": lambda entry, origins: origins.get((entry.campaign, entry.version), Origin()).strategy,
    "day": lambda entry, _: entry.day.isoformat(),
}
"""By what a report can be divided. What a fact has none of (a goal has no wave) is in the group with the empty name."""


def numbers(booked: Booked) -> Numbers:
    """Of these entries."""
    counts: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    held, indirect = 0, 0
    for entry, sums in booked:
        if entry.held_by:
            held += sums.times if entry.fact == "entered" else 0
            continue
        key = (entry.fact, entry.code.partition("/")[0])
        counts[key] += sums.times
        amounts[key] += sums.amount
        indirect += sums.loading
    return _numbers(counts, amounts, held, indirect)


def _numbers(counts: Counter[tuple[str, str]], amounts: Counter[tuple[str, str]], held: int, indirect: int) -> Numbers:
    results = {result: counts["candidate", result] for result in ("act", "defer", "withhold")}
    reaches = {reach: counts["closed", reach] for reach in ("reached", "missed", "refused", "failed")}
    made = sum(count for reach, count in reaches.items() if reach not in UNMADE)
    responses = sum(count for (fact, reach), count in counts.items() if fact == "response" and reach not in UNMADE)
    entered = counts["entered", "first"] + counts["entered", "again"]
    goals = counts["goal", "first"] + counts["goal", "again"]
    benefit, direct = amounts["benefit", "shared"], amounts["contact", ""]
    return Numbers(
        entered=entered,
        held_out=held,
        candidates=sum(results.values()),
        acts=results["act"],
        defers=results["defer"],
        withholds=results["withhold"],
        contacts=counts["contact", ""],
        direct_cost=direct,
        indirect_cost=indirect,
        **reaches,
        responses=responses,
        response_rate=share(responses, made),
        goals=goals,
        conversion_rate=share(goals, entered),
        goal_value=amounts["goal", "first"] + amounts["goal", "again"],
        benefit=benefit,
        untouched_benefit=amounts["benefit", "untouched"],
        profit=benefit - direct - indirect,
    )


def groups(booked: Booked, by: Iterable[str], origins: Origins) -> list[dict[str, Any]]:
    """One group for each combination of the dimensions (names of `DIMENSIONS`), in their order: its names and its numbers."""
    dimensions = {name: DIMENSIONS[name] for name in by}
    divided: dict[tuple[str | int, ...], list[tuple[Entry, Sums]]] = {}
    for entry, sums in booked:
        key = tuple(of(entry, origins) for of in dimensions.values())
        divided.setdefault(key, []).append((entry, sums))
    return [
        dict(zip(dimensions, key, strict=True)) | msgspec.structs.asdict(numbers(entries))
        for key, entries in sorted(divided.items())
    ]  # fmt: skip


def by_campaign(booked: Booked) -> dict[str, Booked]:
    """The entries of each campaign."""
    divided: dict[str, list[tuple[Entry, Sums]]] = {}
    for one in booked:
        divided.setdefault(one[0].campaign, []).append(one)
    return dict(sorted(divided.items()))


def lifts(booked: Booked) -> list[Lift]:
    """Of one campaign: against its own holdout, and against the house's where there is one. First runs of customers only.

    Since a customer's place is drawn once, runs of one customer are not independent; first ones are.
    """
    arms: dict[str, Counter[str]] = {held_by: Counter() for held_by in ("", "campaign", "house")}
    for entry, sums in booked:
        if entry.fact == "converted" or (entry.fact == "entered" and entry.code == "first"):
            arms[entry.held_by][entry.fact] += sums.times
    by = {held_by: Arm(counted["entered"], counted["converted"]) for held_by, counted in arms.items()}
    return [lift(by[""], by[held_by], held_by) for held_by in ("campaign", "house") if held_by == "campaign" or by[held_by].entered]


def reasons(booked: Booked) -> dict[str, int]:
    """How many candidates of each result and reason."""
    found: Counter[str] = Counter()
    for entry, sums in booked:
        if entry.fact == "candidate":
            found[entry.code] += sums.times
    return dict(sorted(found.items()))
