"""Why a customer probably comes to us now: a published table of signals over what happened lately, the heaviest first, with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nextwave_contracts.customers import Snapshot

from nextwave_orchestrator.catalogue import Happening
from nextwave_orchestrator.inbound.answer import Calling, Evidence, OpenMatter, Promise

WEIGHT_MIN = 0.1
"""A reason that has faded below this is not told."""
CONTRACT_NEAR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What may bring somebody here. It weighs half after each `half_life`; a later event of `settled_by` takes it away."""

    reason: str
    text: str
    types: tuple[str, ...]
    weight: float
    half_life: timedelta
    where: tuple[tuple[str, Any], ...] = ()
    settled_by: frozenset[str] = frozenset()
    evidence_max: int = 2


SIGNALS: tuple[Signal, ...] = (
    Signal(
        reason="payment_failed",
        text="a payment failed",
        types=("payment.failed",),
        weight=6.0,
        half_life=timedelta(days=2),
        settled_by=frozenset({"order.placed"}),
    ),
    Signal(reason="delivery_delayed", text="a delivery is late", types=("delivery.delayed",), weight=6.0, half_life=timedelta(days=2)),
    Signal(
        reason="left_unsatisfied",
        text="a complaint was closed, and not to their satisfaction",
        types=("complaint.resolved",),
        where=(("satisfied", False),),
        weight=5.0,
        half_life=timedelta(days=7),
    ),
    Signal(
        reason="cancelled", text="they cancelled", types=("contract.cancelled", "order.cancelled"), weight=5.0, half_life=timedelta(days=3)
    ),
    Signal(
        reason="we_called",
        text="we called and did not reach them",
        types=("outcome.no_answer", "outcome.busy"),
        where=(("channel", "call"),),
        weight=5.0,
        half_life=timedelta(hours=12),
        settled_by=frozenset({"call.answered", "outcome.answered"}),
    ),
    Signal(
        reason="hung_up",
        text="they hung up before anybody answered",
        types=("call.abandoned",),
        weight=5.0,
        half_life=timedelta(hours=4),
        settled_by=frozenset({"call.answered"}),
    ),
    Signal(reason="returned", text="they sent something back", types=("order.returned",), weight=4.0, half_life=timedelta(days=5)),
    Signal(
        reason="about_to_buy",
        text="they were about to buy",
        types=("checkout.started", "cart.updated"),
        weight=3.0,
        half_life=timedelta(hours=2),
        settled_by=frozenset({"order.placed"}),
    ),
    Signal(reason="ordered", text="they ordered lately", types=("order.placed",), weight=3.0, half_life=timedelta(days=3)),
    Signal(
        reason="we_wrote",
        text="they were contacted by us",
        types=("outcome.delivered", "outcome.clicked", "outcome.opened"),
        weight=3.0,
        half_life=timedelta(days=1),
    ),
    Signal(
        reason="looked_at",
        text="they looked at pages",
        types=("page.viewed", "product.viewed", "product.searched"),
        weight=2.5,
        half_life=timedelta(minutes=45),
        evidence_max=5,
    ),
)
"""Weights are expert judgement: what went wrong above what we did, and that above what they looked at."""
MATTER_WEIGHTS = {"complaint": 10.0, "service": 8.0}
"""Open matters do not fade."""
OVERDUE_WEIGHT, PROMISED_WEIGHT = 9.0, 4.0
CONTRACT_WEIGHT = 2.0


def calling(
    profile: Snapshot, history: Sequence[Happening], now: datetime, matters: Sequence[OpenMatter], promises: Sequence[Promise]
) -> tuple[Calling, ...]:
    """Every reason that still weighs something, the heaviest first; equal ones in the table's order."""
    found = [_of_matter(matter, history) for matter in matters]
    found += [_of_promise(promise) for promise in promises]
    found += [reason for signal in SIGNALS if (reason := _of_signal(signal, history, now)) is not None]
    ends_at = profile.contract_ends_at
    if ends_at is not None and now <= ends_at <= now + CONTRACT_NEAR:
        text = f"their contract ends on {ends_at.date().isoformat()}"
        found.append(Calling(reason="contract_ends", text=text, weight=CONTRACT_WEIGHT, evidence=()))
    return tuple(sorted(found, key=lambda reason: -reason.weight))


def evidence(happening: Happening) -> Evidence:
    """A happening as it is shown."""
    return Evidence(type=happening.type, at=happening.at, data=dict(happening.data))


def _of_matter(matter: OpenMatter, history: Sequence[Happening]) -> Calling:
    named = f" {matter.reference}" if matter.reference else ""
    about = [h for h in reversed(history) if matter.reference and h.data.get("reference") == matter.reference]
    return Calling(
        reason=f"open_{matter.kind}",
        text=f"their {'complaint' if matter.kind == 'complaint' else 'request for service'}{named} is open",
        weight=MATTER_WEIGHTS[matter.kind],
        evidence=tuple(evidence(h) for h in about[:2]),
    )


def _of_promise(promise: Promise) -> Calling:
    weight = OVERDUE_WEIGHT if promise.is_overdue else PROMISED_WEIGHT
    return Calling(reason="promised", text=f"we promised: {promise.text}", weight=weight, evidence=())


def _of_signal(signal: Signal, history: Sequence[Happening], now: datetime) -> Calling | None:
    """By its newest event."""
    found: list[Happening] = []
    for happening in reversed(history):
        if happening.type in signal.settled_by:
            break
        if happening.type in signal.types and all(happening.data.get(name) == value for name, value in signal.where):
            found.append(happening)
    if not found:
        return None
    weight = signal.weight * 0.5 ** (max(now - found[0].at, timedelta()) / signal.half_life)
    if weight < WEIGHT_MIN:
        return None
    shown = tuple(evidence(happening) for happening in found[: signal.evidence_max])
    return Calling(reason=signal.reason, text=signal.text, weight=round(weight, 3), evidence=shown)
