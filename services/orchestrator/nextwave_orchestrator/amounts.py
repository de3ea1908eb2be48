"""What owners and operators set of allowances, and what has become of it: all SQL of the side that partitions only read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.allowances import Holding, budget_of, period_in_force
from nextwave_orchestrator.campaigns.definition import Campaign
from nextwave_orchestrator.leasing import ONE_AT_A_TIME

AMOUNT_MAX = 2**63 - 1
"""The largest number that is kept; more is as good as that."""
_NEWEST = text("select v.body from campaign_versions v join campaigns c on c.key = v.key and c.version = v.version where v.key = :campaign")
_BUDGET = text(
    "insert into allowances as a (scope, amount, changed_by)"
    " values (:scope, :amount, :by)"
    " on conflict (scope) do update set amount = excluded.amount, changed_by = excluded.changed_by, changed_at = excluded.changed_at"
    " where a.amount is distinct from excluded.amount returning scope"
)
_CAPACITY = text(
    "insert into allowances as a (scope, amount, per_seconds, changed_by) values (:scope, :amount, :per_seconds, :by)"
    " on conflict (scope) do update set amount = excluded.amount, per_seconds = excluded.per_seconds,"
    " changed_by = excluded.changed_by, changed_at = excluded.changed_at"
    " where (a.amount, a.per_seconds) is distinct from (excluded.amount, excluded.per_seconds) returning scope"
)
_PERIOD_OF = text("select per_seconds from allowances where scope = :scope for update")
_DROP = text("delete from allowances where scope = :scope returning scope")
_HOLD = text("select 1 from leases where scope = :scope order by partition for update")
_TAKE_BACK = text("update leases set taken = spent, queued_until = 'epoch' where scope = :scope")
_BEGIN_ANEW = text("update leases set period = 'epoch', taken = 0, spent = 0, queued_until = 'epoch' where scope = :scope")
_USED = text(
    "select a.scope, a.amount, a.per_seconds, a.changed_by, a.changed_at, l.partition, l.period, l.taken, l.spent"
    " from allowances a left join leases l on l.scope = a.scope where starts_with(a.scope, :prefix) and (not :one or a.scope = :prefix)"
    " order by a.scope, l.partition"
)


class Used(NamedTuple):
    """An allowance and what each partition holds of it. `amount` in minor units or contacts per period; None: no limit is set."""

    scope: str
    amount: int | None
    per: timedelta
    changed_by: str
    changed_at: datetime
    holdings: dict[int, Holding]

    @property
    def spent(self) -> int:
        """Over all partitions."""
        return sum(one.spent for one in self.holdings.values())

    @property
    def left(self) -> int | None:
        """What may still be spent, wherever it lies; None where no limit is set."""
        return None if self.amount is None else max(0, self.amount - self.spent)


async def follow_budget(connection: AsyncConnection, campaign: str, by: str) -> None:
    """Puts the budget of a campaign's newest version in force. What was shared out of another amount goes back to the pool."""
    newest = (await connection.execute(_NEWEST, {"campaign": campaign})).scalar_one_or_none()
    budget = None if newest is None else msgspec.json.decode(newest, type=Campaign).budget
    bound = {"scope": budget_of(campaign), "amount": None if budget is None else min(budget.amount, AMOUNT_MAX), "by": by}
    if (await connection.execute(_BUDGET, bound)).first() is not None:
        await _recall(connection, budget_of(campaign), _TAKE_BACK)


async def set_capacity(connection: AsyncConnection, scope: str, contacts: int, per: timedelta, by: str) -> None:
    """From now on so many contacts per period. What was used of the running one counts, unless periods have another length now."""
    before = (await connection.execute(_PERIOD_OF, {"scope": scope})).scalar_one_or_none()
    seconds = int(per.total_seconds())
    bound = {"scope": scope, "amount": contacts, "per_seconds": seconds, "by": by}
    if (await connection.execute(_CAPACITY, bound)).first() is not None:
        await _recall(connection, scope, _TAKE_BACK if before == seconds else _BEGIN_ANEW)


async def drop_capacity(connection: AsyncConnection, scope: str) -> bool:
    """No limit from now on; whether there was one."""
    there = (await connection.execute(_DROP, {"scope": scope})).first() is not None
    if there:
        await _recall(connection, scope, _BEGIN_ANEW)
    return there


async def used(connection: AsyncConnection, prefix: str, now: datetime, *, one: bool = False) -> list[Used]:
    """The allowances whose scope begins with `prefix` (or the `one` that is it), in the period of `now`."""
    rows = (await connection.execute(_USED, {"prefix": prefix, "one": one})).all()
    return [_used(list(of_scope), now) for _, of_scope in groupby(rows, key=lambda row: row.scope)]


async def _recall(connection: AsyncConnection, scope: str, how: Any) -> None:
    """Under the lock of whoever shares out, and after every batch that is being written with what it held."""
    await ONE_AT_A_TIME.run(connection)
    await connection.execute(_HOLD, {"scope": scope})
    await connection.execute(how, {"scope": scope})


def _used(rows: Sequence[Any], now: datetime) -> Used:
    first = rows[0]
    per = timedelta(seconds=first.per_seconds)
    there = [row for row in rows if row.partition is not None and row.period == period_in_force(row.period, per, now)]
    held = {row.partition: Holding(row.taken, row.spent) for row in there}
    return Used(first.scope, first.amount, per, first.changed_by, first.changed_at, held)
