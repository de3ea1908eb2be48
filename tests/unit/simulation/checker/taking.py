"""Checks that everything accepted was taken in exactly once and in order, on every hop, and that identities came out as the names say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from nextwave_contracts.actions import Contact, ResumeCampaign, StopCampaign, Withdraw
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged, CustomerUpdated
from nextwave_contracts.holds import Hold
from nextwave_contracts.identifiers import strongest
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from unit.simulation.history import Step

HOPS: tuple[tuple[str, tuple[str, ...], tuple[type, ...]], ...] = (
    ("scoring", ("orchestrator",), (CustomerUpdated, CustomersMerged, CustomerAbsorbed)),
    ("orchestrator", ("channels",), (Contact, Withdraw, StopCampaign, ResumeCampaign)),
    ("channels", ("scoring",), (Outcome,)),
)


def faults(steps: Sequence[Step]) -> Iterator[str]:
    """Every fault of taking in."""
    yield from _doors(steps)
    for writer, readers, kinds in HOPS:
        said = Counter(_name(m) for s in steps if s.place == writer for m in s.said if isinstance(m, kinds))
        took = Counter(_name(step.took) for step in steps if step.place in readers and isinstance(step.took, kinds))
        yield from (f"{name} was said {said[name]} and taken in {took[name]} times" for name in said | took if said[name] != took[name])
    yield from _identities(steps)


def _doors(steps: Sequence[Step]) -> Iterator[str]:
    accepted = list({_identity(s.took): s.took for s in steps if s.place == "door"}.values())
    scored = [s.took for s in steps if s.place == "scoring" and isinstance(s.took, Touchpoint)]
    yield from _same_order("scoring", accepted, scored, lambda t: strongest(t.identifiers))
    updates = [s.took for s in steps if s.place == "orchestrator" and isinstance(s.took, CustomerUpdated)]
    learned = [(update.customer_id, update.touchpoint) for update in updates if update.touchpoint is not None]
    yield from _same_once("orchestrator", accepted, [touchpoint for _, touchpoint in learned])
    order = {_identity(touchpoint): n for n, touchpoint in enumerate(accepted)}
    places: dict[tuple[str, str], int] = {}
    for customer, touchpoint in learned:
        way = (customer, strongest(touchpoint.identifiers))
        place = order.get(_identity(touchpoint), -1)
        if place < places.get(way, -1):
            yield f"orchestrator took {touchpoint.id} of {way} in out of order"
        places[way] = place
    holds = {(hold.source, hold.id): hold for s in steps if s.place == "door" for hold in s.said}
    heard = [s.took for s in steps if s.place == "channels" and isinstance(s.took, Hold)]
    yield from _same_once("channels", list(holds.values()), heard)


def _identity(message: Touchpoint | Hold) -> tuple[str, str]:
    return message.source, message.id


def _same_once(who: str, accepted: Sequence[Any], took: Sequence[Any]) -> Iterator[str]:
    wanted, got = Counter(map(_identity, accepted)), Counter(map(_identity, took))
    yield from (f"{who} took {name} in {got[name]} times" for name in wanted | got if got[name] != wanted[name])


def _same_order(who: str, accepted: Sequence[Any], took: Sequence[Any], key: Callable[[Any], Hashable]) -> Iterator[str]:
    """The same messages, each once, and those of one key in one order."""
    wanted: dict[Hashable, list[Any]] = defaultdict(list)
    got: dict[Hashable, list[Any]] = defaultdict(list)
    for messages, ways in ((accepted, wanted), (took, got)):
        for message in messages:
            ways[key(message)].append(_identity(message))
    yield from (f"{who} took {got[k]} of {k} in, accepted were {wanted[k]}" for k in {**wanted, **got} if got[k] != wanted[k])


def _name(message: Any) -> Hashable:
    match message:
        case CustomerUpdated(customer_id=customer, profile=profile):
            return "updated", customer, profile.version
        case CustomersMerged(customer_id=customer, absorbed=absorbed) | CustomerAbsorbed(into=customer, customer_id=absorbed):
            return type(message).__name__, customer, absorbed
        case Outcome(id=name):
            return "outcome", name
        case Contact(action_id=name):
            return "contact", name
        case Withdraw(run_id=run, action_id=action, reason=reason, at=at):
            return "withdraw", run, action, reason, at
        case _:
            return type(message).__name__, message.campaign, message.at


def _identities(steps: Sequence[Step]) -> Iterator[str]:
    """People whose names were ever given together are one customer in the end, and nobody else is."""
    groups: dict[str, str] = {}
    scored = [step for step in steps if step.place == "scoring" and isinstance(step.took, Touchpoint)]
    for step in scored:
        for name in step.took.identifiers:
            groups[_last(groups, name)] = _last(groups, step.took.identifiers[0])
    into = {m.customer_id: m.into for step in scored for m in step.said if isinstance(m, CustomerAbsorbed)}
    roots: dict[str, set[str]] = defaultdict(set)
    for step in scored:
        met = step.said[-1].customer_id
        roots[_last(groups, step.took.identifiers[0])].add(_last(into, met))
    yield from (f"{name} and all names given with it are the customers {found}" for name, found in roots.items() if len(found) != 1)
    if len({next(iter(found)) for found in roots.values()}) != len(roots):
        yield "people who share no name became one customer"


def _last(chain: dict[str, str], name: str) -> str:
    """Where a chain of names ends."""
    while chain.get(name, name) != name:
        name = chain[name]
    return name
