"""The life of an action at a channel as a pure state machine: what we do to it, and what providers tell us about it later.

What we do (claim, postpone, withdraw, expire, retry) is guarded by the state it starts from. What a provider tells us is evidence:
states are totally ordered and evidence only ever raises them, so callbacks may come twice, late and in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from nextwave_contracts.actions import Contact
from nextwave_contracts.masking import in_words
from nextwave_contracts.outcomes import Outcome, OutcomeKind
from nextwave_contracts.reasons import GateCode

from nextwave_channels.answers import Accepted, Answer, Refused
from nextwave_channels.confirming import is_confirmation

State = Literal[
    "due", "claimed", "sending", "unknown", "expired", "withdrawn", "accepted", "failed", "delivered", "bounced",
    "busy", "no_answer", "opened", "clicked", "replied", "answered", "refused",
]  # fmt: skip
STATES: tuple[State, ...] = get_args(State)
RANK: dict[str, int] = {state: rank for rank, state in enumerate(STATES)}
"""Evidence moves a delivery up only. Odd places, and why:

- `claimed` is the moment inside the claiming transaction; at rest a delivery is `due` or already `sending`.
- `expired` and `withdrawn` rank below `accepted`: both mean "never sent", and a provider's word that it was sent is stronger.
- `failed` ranks above `accepted`: a provider may accept and give up later. It ranks below `delivered`: arriving beats giving up.
- `bounced` ranks above `delivered`: a mail can bounce after the first server took it; but whoever opened it did receive it.
- `busy` and `no_answer` rank below `answered`: a late or doubled call status never takes away that somebody answered.
- `refused` ranks highest: the customer said no, whatever else happened.
"""

EVIDENCE: frozenset[OutcomeKind] = frozenset(
    ("accepted", "failed", "delivered", "bounced", "busy", "no_answer", "opened", "clicked", "replied", "answered", "refused")
)
"""What a provider can tell us."""

RETRY_SECONDS: tuple[float, ...] = (1, 5, 30, 120, 600, 1800, 3600)
"""Wall seconds before the n-th new try after a sure, temporary refusal. After the last one the delivery has failed."""
RETRY_AFTER_SECONDS_MAX = 3600.0
TAKING = EVIDENCE - {"failed"}
"""What shows that the provider took the contact, but where it is the provider's own refusal to take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One action at its channel. `due_at` is business time; `attempt` counts dispatches that were begun.

    `held_seconds` (wall) is how long nobody may touch it from when it is stored: the lease while `sending`, the wait while `due`;
    None leaves it as it is stored. `withdrawn_reason`: why it must not be sent again, said while it was `sending`.
    `provider` and `cost`: of its last dispatch, see `Way`. `taken`: a provider is known to have taken it, and that is booked.
    """

    contact: Contact
    state: State
    due_at: datetime
    attempt: int = 0
    provider_id: str = ""
    detail: str = ""
    held_seconds: float | None = None
    withdrawn_reason: str = ""
    provider: str = ""
    cost: int | None = None
    taken: bool = False

    @property
    def costs(self) -> int:
        """What it costs, in minor units: the price of its provider, else what the contact says."""
        return self.contact.cost if self.cost is None else self.cost


@dataclass(frozen=True, slots=True)
class Way:
    """By which provider a delivery goes (empty: there is no choice), and what it costs there: minor units, None: what the contact says."""

    provider: str = ""
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A delivery after a transition, and what is reported of it (None: nothing that others need to know)."""

    delivery: Delivery
    at: datetime
    outcome: Outcome | None = None


def queue(contact: Contact, due_at: datetime) -> Delivery:
    """A contact taken in; it waits until `due_at`."""
    return Delivery(contact=contact, state="due", due_at=due_at)


def begin(delivery: Delivery, now: datetime, lease_seconds: float, way: Way = Way()) -> Step:
    """Due → claimed → sending, stored before the provider is called: a crash after this leaves a trace and no second call."""
    assert delivery.state == "due"
    begun = replace(delivery, state="sending", attempt=delivery.attempt + 1, held_seconds=lease_seconds)
    return Step(replace(begun, provider=way.provider, cost=way.cost), now)


def postpone(delivery: Delivery, now: datetime, until: datetime, why: str = "") -> Step:
    """Due → due: outside the permitted hours, or because of `why`; it waits until then."""
    assert delivery.state == "due"
    return Step(replace(delivery, due_at=until, held_seconds=0.0, detail=why or delivery.detail), now)


def give_up(delivery: Delivery, now: datetime, kind: Literal["withdrawn", "expired", "failed"], reason: GateCode | str) -> Step:
    """Due → withdrawn, expired or failed: it is never sent."""
    assert delivery.state == "due"
    return _end(delivery, kind, now, reason)


def withdraw(delivery: Delivery, now: datetime, reason: GateCode | str) -> Step:
    """Due → withdrawn. While it is `sending` the word is only remembered: if the provider then surely refuses, there is no next try."""
    if delivery.state != "sending":
        return give_up(delivery, now, "withdrawn", reason)
    return Step(replace(delivery, withdrawn_reason=delivery.withdrawn_reason or in_words(reason)), now)


def lose(delivery: Delivery, now: datetime, detail: str) -> Step | None:
    """Sending → unknown: nobody can say whether the provider took it. None if evidence came first."""
    return _end(delivery, "unknown", now, detail) if delivery.state == "sending" else None


def conclude(delivery: Delivery, answer: Answer, now: datetime) -> Step | None:
    """What the provider's direct answer makes of a delivery that was dispatched; None if a callback already told more.

    sending → due is the one way down: the provider surely refused, so nothing was sent and the next try is the first real one.
    sending → withdrawn instead, when it was withdrawn meanwhile: the gate of the next claim does not know of every withdrawal.
    unknown → failed: the answer came after the lease had run out; it settles the delivery, but is no reason to send again.
    """
    match answer:
        case Accepted(provider_id=provider_id):
            return learn(delivery, "accepted", now, provider_id=provider_id)
        case Refused() if delivery.state in {"sending", "unknown"}:
            return _after_refusal(delivery, answer, now)
        case Refused():
            return None
        case _:
            return lose(delivery, now, answer.detail)


def learn(delivery: Delivery, kind: OutcomeKind, now: datetime, *, detail: str = "", provider_id: str = "") -> Step | None:
    """Takes evidence in. None when it says nothing new (it came twice, or something stronger came first)."""
    assert kind in EVIDENCE
    named = replace(delivery, provider_id=delivery.provider_id or _printable(provider_id))
    if RANK[kind] > RANK[delivery.state]:
        return _end(named, kind, now, detail)
    return Step(named, now) if named != delivery else None


def _after_refusal(delivery: Delivery, refused: Refused, now: datetime) -> Step:
    if refused.opted_out:
        return _end(delivery, "refused", now, refused.detail, surely_not_taken=True)
    if refused.bounced:
        return _end(delivery, "bounced", now, refused.detail, surely_not_taken=True)
    if delivery.withdrawn_reason and not refused.permanent:
        return _end(delivery, "withdrawn", now, delivery.withdrawn_reason)
    tries_left = delivery.attempt <= len(RETRY_SECONDS) or not refused.asked
    if refused.permanent or not tries_left or delivery.state == "unknown":
        return _end(delivery, "failed", now, refused.detail)
    scheduled = RETRY_SECONDS[delivery.attempt - 1] if refused.asked else RETRY_SECONDS[0]
    wait = max(scheduled, min(refused.retry_after_seconds or 0.0, RETRY_AFTER_SECONDS_MAX))
    return Step(replace(delivery, state="due", detail=in_words(refused.detail), held_seconds=wait), now)


def _end(delivery: Delivery, kind: OutcomeKind, now: datetime, detail: str, *, surely_not_taken: bool = False) -> Step:
    """The contact and its cost are booked once: by the first outcome that shows that the provider took it."""
    first = kind in TAKING and not delivery.taken and not surely_not_taken
    after = replace(delivery, state=kind, detail=in_words(detail), held_seconds=0.0, taken=delivery.taken or first)
    contact = delivery.contact
    outcome = Outcome(
        id=f"{contact.action_id}:{kind}",
        action_id=contact.action_id,
        customer_id=contact.customer_id,
        campaign=contact.campaign,
        version=contact.version,
        wave=contact.wave,
        run_id=contact.run_id,
        channel=contact.channel,
        kind=kind,
        at=now,
        detail=after.detail,
        cost=delivery.costs if first else 0,
        currency=contact.currency,
        segment=contact.segment,
        taken=first,
    )
    # A test is nobody's: there is no customer whom it could concern. A confirmation is nobody's decision.
    return Step(after, now, None if contact.test or is_confirmation(contact) else outcome)


def _printable(text: str) -> str:
    """A provider's id as one bounded line; it is compared with what callbacks name, so nothing of it is masked."""
    return "".join(c if c.isprintable() else " " for c in text[:200]).strip()
