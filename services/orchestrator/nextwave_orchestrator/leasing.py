"""All SQL of allowances: a partition's leases, loaded and written in its owner's transaction, topped up when it lacks something.

How the locks keep this exact is in `docs/decisions/0009-budgets-and-capacities-by-leases.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from nextwave_runtime.application import OutdatedError, Work
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.allowances import EPOCH, UNLIMITED, Holding, Lease, Leases, Pool, booked, period_in_force

ONE_AT_A_TIME = Statement("select pg_advisory_xact_lock(x'6e780009'::int)")
"""Held until its commit by whoever changes what other partitions hold."""
_LOAD = Statement(
    "select a.scope, coalesce(a.amount, cast(:unlimited as bigint)) amount, a.per_seconds, l.period, l.taken, l.spent, l.wanted,"
    " l.queued_until from allowances a left join leases l on l.scope = a.scope and l.partition = :partition"
    " where a.scope = any(cast(:scopes as text[])) or a.per_seconds > 0"
)
_BEGIN = Statement(
    "insert into allowances (scope, amount, changed_by)"
    " select 'budget/' || c.key, cast(cast(v.body as jsonb) #>> '{budget,amount}' as bigint), c.changed_by"
    " from campaigns c join campaign_versions v on v.key = c.key and v.version = c.version"
    " where 'budget/' || c.key = any(cast(:scopes as text[])) order by c.key on conflict (scope) do nothing"
)
"""What a build published that knew no allowances, while this one was rolled out, has a limit too."""
_HELD = (
    "select l.scope, l.partition, l.period, l.taken, l.spent, coalesce(a.amount, cast(:unlimited as bigint)) amount"
    " from leases l join allowances a on a.scope = l.scope where l.scope = any(cast(:scopes as text[])) order by l.scope, l.partition"
)
_PEEK, _HOLD = Statement(_HELD), Statement(_HELD + " for update of l")
_MINE = Statement(
    "select scope, period, taken, spent from leases where partition = :partition and scope = any(cast(:scopes as text[]))"
    " order by scope for update"
)
_WRITE = Statement(
    "insert into leases (scope, partition, period, taken, spent) select * from unnest(cast(:scopes as text[]),"
    " cast(:partitions as int[]), cast(:periods as timestamptz[]), cast(:takens as bigint[]), cast(:spents as bigint[]))"
    " on conflict (scope, partition) do update set period = excluded.period, taken = excluded.taken, spent = excluded.spent"
)
_ASK = Statement(
    "update leases l set wanted = a.wanted, queued_until = a.queued from unnest(cast(:scopes as text[]), cast(:wanted as bigint[]),"
    " cast(:queued as timestamptz[])) a(scope, wanted, queued) where l.scope = a.scope and l.partition = :partition"
)


async def load(connection: AsyncConnection, work: Work, budgets: Sequence[str]) -> Leases:
    """The partition's leases of these budgets and of every capacity; what it lacked before was asked for."""
    bound = {"unlimited": UNLIMITED, "partition": work.partition, "scopes": list(budgets)}
    rows = await _LOAD.rows(connection, bound)
    missing = sorted(set(budgets) - {row["scope"] for row in rows})
    if missing:
        await _BEGIN.run(connection, {"scopes": missing})
        rows = await _LOAD.rows(connection, bound)
    leases = Leases({row["scope"]: _lease(row, work.now) for row in rows}, work.partitions)
    lacking = {scope: lease for scope, lease in leases.held.items() if lease.wanted > lease.left}
    if lacking:
        for scope in lacking.keys() - await _top_up(connection, work, lacking):
            del leases.held[scope]  # its limit was lifted just now
    return leases


async def save(connection: AsyncConnection, partition: int, leases: Leases) -> None:
    """Writes what the batch reserved, gave back and asks for. Raises `OutdatedError` when what it reserved is no longer there."""
    changed = leases.changes()
    if not changed:
        return
    bound = {"partition": partition, "scopes": [lease.scope for lease in changed]}
    mine = {row["scope"]: row for row in await _MINE.rows(connection, bound)}
    written: list[tuple[str, int, datetime, Holding]] = []
    for lease in changed:
        row = mine.get(lease.scope)
        after = booked(lease, _holding(row, lease.period) if row else Holding())
        if after is None:
            raise OutdatedError(f"{lease.scope} was shared out anew")
        written.append((lease.scope, partition, lease.period, after))
    await _write(connection, written)
    asked = {"wanted": [lease.want for lease in changed], "queued": [lease.queued_until for lease in changed]}
    await _ASK.run(connection, bound | asked)


def _lease(row: Any, now: datetime) -> Lease:
    per = timedelta(seconds=row["per_seconds"])
    period = period_in_force(row["period"] or EPOCH, per, now)
    return Lease(
        scope=row["scope"],
        amount=row["amount"],
        per=per,
        period=period,
        left=_holding(row, period).left if row["period"] else 0,
        wanted=row["wanted"] or 0,
        queued_until=row["queued_until"] or EPOCH,
    )


def _holding(row: Any, period: datetime) -> Holding:
    """What a row is worth in a period: nothing when it is of an earlier one."""
    return Holding(row["taken"], row["spent"]) if row["period"] == period else Holding()


async def _top_up(connection: AsyncConnection, work: Work, lacking: dict[str, Lease]) -> set[str]:
    """Gets what is lacking, of what still has a limit (returned). Where nobody has any more of it nothing is locked: this is all."""
    seen = await _held(connection, work.now, lacking, _PEEK)
    there = {scope: lacking[scope] for scope, pool in seen.items() if pool.has_more_than(lacking[scope].left)}
    if there:
        await ONE_AT_A_TIME.run(connection)
        await _share(connection, work, there)
    for scope in seen:
        lacking[scope].was_topped_up()
    return set(seen)


async def _share(connection: AsyncConnection, work: Work, lacking: dict[str, Lease]) -> None:
    written: list[tuple[str, int, datetime, Holding]] = []
    for scope, held in (await _held(connection, work.now, lacking, _HOLD)).items():
        lease = lacking[scope]
        after = held.shared_out(work.partition, lease.wanted, work.partitions)
        written += [(scope, n, lease.period, one) for n, one in after.items() if one != held.holdings[n]]
        lease.left = after[work.partition].left
    await _write(connection, written)


async def _held(connection: AsyncConnection, now: datetime, leases: dict[str, Lease], query: Statement) -> dict[str, Pool]:
    """By scope what is held in the period of the lease. The asking partition has a row: it once wrote what it lacks."""
    rows = await query.rows(connection, {"unlimited": UNLIMITED, "scopes": sorted(leases)})
    return {scope: _pool(list(of_scope), leases[scope], now) for scope, of_scope in groupby(rows, key=lambda row: str(row["scope"]))}


def _pool(rows: Sequence[Any], lease: Lease, now: datetime) -> Pool:
    holdings = {row["partition"]: _holding(row, lease.period) for row in rows}
    is_over = any(period_in_force(row["period"], lease.per, now) > lease.period for row in rows)
    return Pool(0 if is_over else rows[0]["amount"], holdings)


async def _write(connection: AsyncConnection, written: Sequence[tuple[str, int, datetime, Holding]]) -> None:
    if not written:
        return
    bound = {
        "scopes": [scope for scope, _, _, _ in written],
        "partitions": [partition for _, partition, _, _ in written],
        "periods": [period for _, _, period, _ in written],
        "takens": [holding.taken for _, _, _, holding in written],
        "spents": [holding.spent for _, _, _, holding in written],
    }
    await _WRITE.run(connection, bound)
