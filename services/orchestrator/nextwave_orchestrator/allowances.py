"""Budgets and capacities: one mechanism, exact over all partitions, since each partition may reserve only from its own lease. Pure.

See `docs/decisions/0009-budgets-and-capacities-by-leases.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from nextwave_orchestrator.state import Reservation

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Periods are counted from here; also the one period of what is never renewed."""
FOR_EVER = timedelta()
"""The period of a budget."""
UNLIMITED = 2**60
"""What may be spent where nobody has set an amount: spending is counted all the same, so that a later budget covers it."""
PLENTY = 2**40
"""More than any contact costs: whoever has so much of what is unlimited in hand need not look at it."""
ASK_WITHIN = timedelta(minutes=15)
"""Over how long, from the next period on, those who wait for capacity are spread to ask again."""


def budget_of(campaign: str) -> str:
    """The scope of a campaign's budget, in minor units and for ever."""
    return f"budget/{campaign}"


def spending(states: Mapping[str, str]) -> list[str]:
    """The budgets of the campaigns that may spend something now, by the state of each."""
    return [budget_of(campaign) for campaign, state in states.items() if state == "published"]


def capacity_of(channel: str, place: str = "") -> str:
    """The scope of a channel's capacity, or of one list (team) of it, in contacts per period."""
    return f"capacity/{channel}/{place}" if place else f"capacity/{channel}"


def uses(campaign: str, channel: str, place: str, cost: int) -> dict[str, int]:
    """What a contact uses up of each scope; `cost` in minor units, `place` the list or team."""
    used = {budget_of(campaign): cost} if cost else {}
    return used | {capacity_of(channel): 1} | ({capacity_of(channel, place): 1} if place else {})


def period_at(at: datetime, per: timedelta) -> datetime:
    """The start of the period that `at` lies in."""
    return EPOCH + (at - EPOCH) // per * per if per else EPOCH


def period_in_force(written: datetime, per: timedelta, now: datetime) -> datetime:
    """The period in force, where one is written down: a later one may have begun elsewhere, but one further ahead is a wrong clock's."""
    here = period_at(now, per)
    return written if here < written <= here + per else here


@dataclass(frozen=True, slots=True)
class Holding:
    """One partition's part of an allowance in one period: taken from the pool, and of that spent (reserved and not given back).

    `spent` is never above `taken`; both are below zero where contacts reserved elsewhere were given back here, after a merge.
    """

    taken: int = 0
    spent: int = 0

    @property
    def left(self) -> int:
        """What the partition may still reserve."""
        return self.taken - self.spent


@dataclass(frozen=True, slots=True)
class Pool:
    """An allowance in one period, and what each partition holds of it. The amount is none where a later period has begun elsewhere."""

    amount: int
    holdings: Mapping[int, Holding]

    @property
    def free(self) -> int:
        """What nobody holds. Below zero where the amount was lowered."""
        return self.amount - sum(one.taken for one in self.holdings.values())

    def has_more_than(self, left: int) -> bool:
        """Whether more than this is not spent yet, wherever it lies."""
        return self.amount - sum(one.spent for one in self.holdings.values()) > left

    def shared_out(self, asking: int, wanted: int, partitions: int) -> dict[int, Holding]:
        """The holdings after the partition `asking` was given what it lacks of `wanted`, as far as there is any, and a share beyond.

        The share is a part of what is free, so that it shrinks towards the end; where that alone is too little, what the others have
        not spent goes back first. The sum of `taken` stays within the amount, or does not grow.
        """
        mine = self.holdings[asking]
        need = wanted - mine.left
        pool = self if need <= self.free or not self.has_more_than(mine.left) else self._recalled(asking)
        granted = max(0, min(pool.free, max(need, pool.free // (2 * partitions))))
        return {**pool.holdings, asking: replace(mine, taken=mine.taken + granted)}

    def _recalled(self, asking: int) -> Pool:
        back = {n: one if n == asking else replace(one, taken=one.spent) for n, one in self.holdings.items()}
        return replace(self, holdings=back)


@dataclass(slots=True, kw_only=True)
class Lease:
    """What the partition holds of an allowance that is in force, as the batch goes on."""

    scope: str
    amount: int
    per: timedelta
    period: datetime
    """The start of the period that this is about."""
    left: int
    """What may still be reserved."""
    wanted: int = 0
    """How much the partition wants to have in hand; it is topped up before the next batch."""
    queued_until: datetime = EPOCH
    """When the last one who waits for capacity is to ask again."""
    sure: bool = False
    """Whether nobody else holds any more of it: who finds too little left is turned away, not put off."""
    reserved: int = 0
    returned: int = 0
    charged: int = 0
    """What turned out to be spent although it had been given back: the only thing that no limit can stop."""
    lacking: int = 0
    changed: bool = False

    @property
    def want(self) -> int:
        """What to ask for before the next batch."""
        return self.lacking or self.wanted

    def lasts(self, instant: datetime) -> bool:
        """Whether its period is not over then."""
        return not self.per or instant < self.period + self.per

    def was_topped_up(self) -> None:
        """What it got is all there is, or what it wanted. With nothing at all it goes on asking, in case there is more some day.

        With a remainder it does not: partitions would take that from one another for ever.
        """
        self.sure = self.left < self.wanted
        wanted = 1 if self.sure and self.left < 1 else 0
        self.changed = wanted != self.wanted
        self.wanted = wanted


def booked(lease: Lease, held: Holding) -> Holding | None:
    """The partition's holding after the batch, by what it holds now; None when what was reserved has been taken back meanwhile."""
    if lease.reserved and lease.reserved > held.left:
        return None
    spent = held.spent - lease.returned + lease.reserved + lease.charged
    return Holding(max(held.taken - lease.returned, spent), spent)


@dataclass(slots=True)
class Leases:
    """The leases of one partition during one batch. A scope without one has no limit."""

    held: dict[str, Lease] = field(default_factory=dict)
    partitions: int = 1
    elsewhere: dict[str, Lease] = field(default_factory=dict)
    """Budgets that are no longer in force, to which something was given back."""

    def left(self, scope: str) -> int | None:
        """What may still be reserved; None where there is no limit."""
        lease = self.held.get(scope)
        return None if lease is None or (lease.amount == UNLIMITED and lease.left > PLENTY) else lease.left

    def knows(self, scope: str) -> bool:
        """Whether `left` tells of a limit: one is set, and some of it is in hand or nobody else has any."""
        lease = self.held.get(scope)
        return lease is not None and lease.amount != UNLIMITED and (lease.sure or lease.left > 0)

    def reserve(self, used: Mapping[str, int]) -> None:
        """Takes what a contact uses of what is left."""
        for lease, amount in self._held(used):
            assert amount <= lease.left, f"{lease.scope} has {lease.left} left, not {amount}"
            lease.left -= amount
            lease.reserved += amount

    def give_back(self, scope: str, amount: int, reserved_at: datetime = EPOCH) -> None:
        """Returns to the pool what was reserved at that time. Capacity of a period that is over is worth nothing any more.

        It is not simply spent again here: where the amount was lowered meanwhile, there may be nothing left of it.
        """
        lease = self._settling(scope, reserved_at)
        if lease is not None:
            lease.returned += amount

    def charge(self, scope: str, amount: int, reserved_at: datetime = EPOCH) -> None:
        """Takes what was given back once more, since it was spent after all; whether or not there is so much left."""
        lease = self._settling(scope, reserved_at)
        if lease is not None:
            lease.left -= amount
            lease.charged += amount

    def puts_off(self, wanted: Mapping[str, int]) -> bool:
        """Whether this much is not in hand but may be had: it is asked for, and the candidate looks again when it is there."""
        short = [lease for lease, amount in self._held(wanted) if amount > lease.left and not lease.sure]
        for lease in short:
            lease.lacking += wanted[lease.scope]
            lease.changed = True
        return bool(short)

    def is_scarce(self, scope: str, most: int) -> bool:
        """Whether less than a contact may use is in hand, and there may be more."""
        lease = self.held.get(scope)
        return lease is not None and not lease.sure and lease.left < most

    def free_at(self, channel: str, place: str, now: datetime) -> datetime | None:
        """When this channel has capacity for one more; None: now. Always the start of a period."""
        full = [lease for lease, _ in self._held(uses("", channel, place, 0)) if lease.left < 1]
        return max((_period_for(lease, self._next_place(lease, now), now) for lease in full), default=None)

    def queue(self, channel: str, place: str, now: datetime) -> None:
        """Somebody waits until `free_at`; the next one waits behind them."""
        for lease, _ in self._held(uses("", channel, place, 0)):
            if lease.left < 1:
                lease.queued_until = self._next_place(lease, now)
                lease.changed = True

    def foreseen(self, instant: datetime) -> Leases:
        """What may stand in the way then: not a period that is over, nor what is short here while others may have it."""
        held = {scope: one for scope, one in self.held.items() if one.amount == 0 or (one.sure and one.lasts(instant))}
        return Leases(held, self.partitions)

    def changes(self) -> list[Lease]:
        """The leases that are to be written, by scope."""
        leases = (*self.held.values(), *self.elsewhere.values())
        touched = (lease for lease in leases if lease.changed or lease.reserved or lease.returned or lease.charged)
        return sorted(touched, key=lambda lease: lease.scope)

    def _held(self, scopes: Mapping[str, int]) -> Iterator[tuple[Lease, int]]:
        return ((self.held[scope], amount) for scope, amount in scopes.items() if scope in self.held)

    def _settling(self, scope: str, reserved_at: datetime) -> Lease | None:
        lease = self.held.get(scope)
        if scope.startswith("budget/"):
            return lease or self.elsewhere.setdefault(scope, Lease(scope=scope, amount=0, per=FOR_EVER, period=EPOCH, left=0))
        return lease if lease is not None and period_at(reserved_at, lease.per) == lease.period else None

    def _next_place(self, lease: Lease, now: datetime) -> datetime:
        """Behind the last one who waits, as far apart as this partition's share of a period allows; round again at the end."""
        first = _renewed(lease, now)
        following = lease.queued_until + lease.per / max(1, lease.amount // self.partitions)
        return following if first <= following < first + max(lease.per, ASK_WITHIN) else first


def _renewed(lease: Lease, now: datetime) -> datetime:
    """When the next period starts. A capacity of none is not renewed before somebody changes it."""
    following = max(lease.period, period_at(now, lease.per)) + lease.per
    return following if lease.amount else max(following, period_at(now + ASK_WITHIN, lease.per))


def _period_for(lease: Lease, place: datetime, now: datetime) -> datetime:
    return max(period_at(place, lease.per), _renewed(lease, now))


def settle(leases: Leases, before: Sequence[Reservation], after: Iterable[Reservation]) -> None:
    """Gives back what contacts used that were not made after all, and takes it again for those of which the contrary is proved.

    Compares what counted with what counts now, contact by contact; what is only forgotten changes nothing.
    """
    booked = {one.action_id: one for one in before if one.cost is not None}
    for one in after:
        was = booked.get(one.action_id)
        if was is None or one.cost is None or was.counts == one.counts:
            continue
        for scope, amount in uses(one.campaign, one.channel, one.place, one.cost).items():
            act = leases.charge if one.counts else leases.give_back
            act(scope, amount, one.at)
