"""The two tables of allowances in memory: what `leasing` and `amounts` do in SQL, one statement after the other, with nobody waiting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nextwave_orchestrator.allowances import EPOCH, FOR_EVER, UNLIMITED, Holding, Lease, Leases, Pool, booked, period_in_force


@dataclass
class Row:
    period: datetime = EPOCH
    holding: Holding = field(default_factory=Holding)
    wanted: int = 0
    queued_until: datetime = EPOCH


@dataclass
class Bank:
    """One allowance over some partitions."""

    scope: str
    amount: int | None
    partitions: int
    per: timedelta = FOR_EVER
    rows: dict[int, Row] = field(default_factory=dict)

    def load(self, partition: int, now: datetime) -> Leases:
        """What the partition's batch begins with."""
        row, amount = self.rows.get(partition), UNLIMITED if self.amount is None else self.amount
        period = period_in_force(row.period if row else EPOCH, self.per, now)
        lease = Lease(scope=self.scope, amount=amount, per=self.per, period=period, left=self._held(partition, period).left)
        if row is not None:
            lease.wanted, lease.queued_until = row.wanted, row.queued_until
        if lease.wanted > lease.left:
            self._top_up(partition, lease, amount, now)
        return Leases({self.scope: lease}, self.partitions)

    def save(self, partition: int, leases: Leases) -> bool:
        """Whether the batch may commit; nothing is written if not."""
        for lease in leases.changes():
            after = booked(lease, self._held(partition, lease.period))
            if after is None:
                return False
            self.rows[partition] = Row(lease.period, after, lease.want, lease.queued_until)
        return True

    def set(self, amount: int | None) -> None:
        """A new amount from now on."""
        self.amount = amount
        for row in self.rows.values():
            row.holding = Holding(row.holding.spent, row.holding.spent)

    @property
    def spent(self) -> int:
        return sum(row.holding.spent for row in self.rows.values())

    def _held(self, partition: int, period: datetime) -> Holding:
        row = self.rows.get(partition)
        return row.holding if row is not None and row.period == period else Holding()

    def _top_up(self, partition: int, lease: Lease, amount: int, now: datetime) -> None:
        is_over = any(period_in_force(row.period, self.per, now) > lease.period for row in self.rows.values())
        pool = Pool(0 if is_over else amount, {n: self._held(n, lease.period) for n in self.rows})
        if pool.has_more_than(lease.left):
            for n, holding in pool.shared_out(partition, lease.wanted, self.partitions).items():
                if holding != pool.holdings[n]:
                    self.rows[n].period, self.rows[n].holding = lease.period, holding
            lease.left = self.rows[partition].holding.left
        lease.was_topped_up()
