"""All SQL that changes deliveries, or that a change is decided on (stops: `facts`). Every function works in its caller's transaction.

One advisory lock orders claims and stops: whoever claims holds it shared, whoever records a stop holds it alone. So a claim
sees every stop that was committed before it, and a stop sees every claim; nobody waits longer than one short transaction.
Who takes it locks deliveries and stops only afterwards; who locks a delivery without it (an answer, a callback, a lapsed lease, the
rest of a stopped campaign) does not ask for it in the same transaction any more. Rows taken before it (a callback's row of `seen`, a
partition's rows of `seen` and `timers`) are never wanted by whoever holds it, since every transaction takes those first and in one
order. So nobody who waits for the lock holds what its holder waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nextwave_contracts.actions import Contact
from nextwave_contracts.channels import CHANNELS
from nextwave_contracts.topics import partition_of
from nextwave_contracts.wire import decode, encode
from nextwave_runtime import timers
from nextwave_runtime.application import Timer
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels.delivery import TAKING, Delivery, Step


@dataclass(frozen=True, slots=True)
class Selection:
    """Which due deliveries are meant: all of a channel, those of one dialler `list` or team, of any of these `subjects`, or one."""

    channel: str
    list: str | None = None
    subjects: frozenset[str] | None = None
    action_id: str | None = None


OUTCOME_TIMER = "outcome"
"""Kind of the timer that carries an outcome to the partition's owner, who publishes it: there is one outbox."""

_CLAIMING = Statement("select pg_advisory_xact_lock_shared(7203915)")
_STOPPING = Statement("select pg_advisory_xact_lock(7203915)")

_NEXT_DUE = Statement(
    "select c.channel, first.due_at from unnest(cast(:channels as text[])) c(channel) cross join lateral (select due_at from deliveries"
    " where channel = c.channel and state = 'due' and held_until <= clock_timestamp() order by due_at limit 1) first"
)


_COLUMNS = "contact, state, due_at, attempt, provider_id, detail, withdrawn_reason, provider, cost"
"""What is due or being sent was not taken by a provider yet: evidence that it was moves it on. Of one in any state, see `_FIND`."""


# What is owed (service, recovery, transactional) goes before what is offered; then the highest expected value first.
def _claimable(condition: str) -> Statement:
    return Statement(
        f"select {_COLUMNS} from deliveries"  # noqa: S608  (constants, here and below)
        f" where channel = :channel and state = 'due' and due_at <= :now and held_until <= clock_timestamp(){condition}"
        " order by purpose in ('marketing', 'care'), value desc limit :limit for update skip locked"
    )


_CLAIMABLE = _claimable("")
_CLAIMABLE_OF_LIST = _claimable(" and list = :list")
_CLAIMABLE_OF_SUBJECTS = _claimable(" and subjects && cast(:subjects as text[])")
_CLAIMABLE_ONE = _claimable(" and action_id = :action_id")
_OVERDUE = Statement(
    f"select {_COLUMNS} from deliveries where state = 'due' and not_after <= :now"  # noqa: S608  (a constant)
    " order by not_after limit :limit for update skip locked"
)
_LAPSED = Statement(
    f"select {_COLUMNS} from deliveries where state = 'sending'"  # noqa: S608  (a constant)
    " and held_until <= clock_timestamp() order by held_until limit :limit for update skip locked"
)
_HOLD = Statement("select from deliveries where action_id = :action_id for update")
# That a provider took it is told by its steps, also where the build before wrote them.
_FIND = Statement(
    f"select {_COLUMNS}, exists (select from steps s where s.action_id = deliveries.action_id"  # noqa: S608  (constants)
    f" and s.kind in ({', '.join(repr(kind) for kind in sorted(TAKING))})) as taken from deliveries where action_id = :action_id"
)
_UNSENT = Statement(
    f"select {_COLUMNS} from deliveries"  # noqa: S608  (a constant)
    " where state in ('due', 'sending') and action_id in ("
    " select d.action_id from unnest(cast(:customers as text[]), cast(:runs as text[])) w(customer, run)"
    " join deliveries d on d.customer_id = w.customer and d.run_id = w.run and d.state = 'due'"
    " union select action_id from deliveries where state = 'due' and subjects && cast(:subjects as text[])"
    " union (select action_id from deliveries where state = 'due' and campaign = any(cast(:campaigns as text[]))"
    " and partition = :partition limit :limit)"
    " union select d.action_id from deliveries d where state = 'sending' and withdrawn_reason = '' and ("
    " subjects && cast(:subjects as text[]) or (campaign = any(cast(:campaigns as text[])) and partition = :partition)"
    " or exists (select from unnest(cast(:customers as text[]), cast(:runs as text[])) w(customer, run)"
    " where d.customer_id = w.customer and d.run_id = w.run))) order by action_id for update"
)
_QUEUED_FOR = Statement(
    "select exists (select from deliveries where state = 'due' and campaign = any(cast(:campaigns as text[])) and partition = :partition"
    " and action_id <> all(cast(:ids as text[])))"
)
_EXISTING = Statement("select action_id from deliveries where action_id = any(cast(:ids as text[]))")
_INSERT = Statement(
    "insert into deliveries (action_id, customer_id, campaign, wave, run_id, channel, purpose, list, partition, subjects, state, due_at,"
    " value, detail, received_at, changed_at, not_after, contact)"
    " select action_id, customer_id, campaign, wave, run_id, channel, purpose, list, partition, string_to_array(subjects, ' '), state,"
    " due_at, value, detail, cast(:now as timestamptz), cast(:now as timestamptz), not_after, contact"
    " from unnest(cast(:action_ids as text[]), cast(:customers as text[]), cast(:campaigns as text[]),"
    " cast(:waves as text[]), cast(:runs as text[]), cast(:channels as text[]), cast(:purposes as text[]), cast(:lists as text[]),"
    " cast(:partitions as int[]),"
    " cast(:subjects as text[]), cast(:states as text[]), cast(:dues as timestamptz[]), cast(:values as double precision[]),"
    " cast(:details as text[]), cast(:not_afters as timestamptz[]), cast(:contacts as bytea[]))"
    " as n(action_id, customer_id, campaign, wave, run_id, channel, purpose, list, partition, subjects, state, due_at, value, detail,"
    " not_after, contact) on conflict (action_id) do nothing"
)
_UPDATE = Statement(
    "update deliveries d set state = n.state, due_at = n.due_at, attempt = n.attempt, provider_id = n.provider_id, detail = n.detail,"
    " withdrawn_reason = n.reason, provider = n.provider, cost = n.cost,"
    " held_until = case when n.held is null then d.held_until when n.held = 0 then '-infinity'"
    " else clock_timestamp() + n.held * interval '1 second' end,"
    " changed_at = n.at from unnest(cast(:action_ids as text[]), cast(:states as text[]), cast(:dues as timestamptz[]),"
    " cast(:attempts as int[]), cast(:provider_ids as text[]), cast(:details as text[]), cast(:helds as double precision[]),"
    " cast(:reasons as text[]), cast(:providers as text[]), cast(:costs as bigint[]), cast(:ats as timestamptz[]))"
    " as n(action_id, state, due_at, attempt, provider_id, detail, held, reason, provider, cost, at)"
    " where d.action_id = n.action_id"
)
_STEPS = Statement(
    "insert into steps (action_id, kind, at, detail) select * from unnest(cast(:action_ids as text[]), cast(:kinds as text[]),"
    " cast(:ats as timestamptz[]), cast(:details as text[])) on conflict do nothing"
)


async def enter_claim(connection: AsyncConnection) -> None:
    """Waits for stops being recorded and keeps new ones out until the transaction ends; other claims go on beside it."""
    await _CLAIMING.run(connection)


async def enter_stop(connection: AsyncConnection) -> None:
    """Waits for claims under way and keeps new ones out until the transaction ends."""
    await _STOPPING.run(connection)


async def next_due(connection: AsyncConnection) -> dict[str, datetime]:
    """The earliest business instant at which a queued delivery is due, for each channel for which any is queued."""
    return {row["channel"]: row["due_at"] for row in await _NEXT_DUE.rows(connection, {"channels": list(CHANNELS)})}


async def lock_due(connection: AsyncConnection, selection: Selection, limit: int, now: datetime) -> list[Delivery]:
    """Due deliveries that nobody else is claiming, highest expected value first, locked."""
    bound = {"channel": selection.channel, "now": now, "limit": limit}
    if selection.list is not None:
        return _deliveries(await _CLAIMABLE_OF_LIST.rows(connection, {**bound, "list": selection.list}))
    if selection.action_id is not None:
        return _deliveries(await _CLAIMABLE_ONE.rows(connection, {**bound, "action_id": selection.action_id}))
    if selection.subjects is not None:
        return _deliveries(await _CLAIMABLE_OF_SUBJECTS.rows(connection, {**bound, "subjects": sorted(selection.subjects)}))
    return _deliveries(await _CLAIMABLE.rows(connection, bound))


async def lock_overdue(connection: AsyncConnection, now: datetime, limit: int) -> list[Delivery]:
    """Queued deliveries past their latest time, of every channel, locked: nobody could claim them in time."""
    return _deliveries(await _OVERDUE.rows(connection, {"now": now, "limit": limit}))


async def lock_lapsed(connection: AsyncConnection, limit: int) -> list[Delivery]:
    """Deliveries being sent whose lease ran out: their dispatcher died, or could not record the answer."""
    return _deliveries(await _LAPSED.rows(connection, {"limit": limit}))


async def lock_one(connection: AsyncConnection, action_id: str) -> Delivery | None:
    """One delivery, locked, or None.

    It is read by a statement after the one that may have waited for the lock: only that sees the steps which the holder before wrote.
    """
    await _HOLD.rows(connection, {"action_id": action_id})
    return await find(connection, action_id)


async def find(connection: AsyncConnection, action_id: str) -> Delivery | None:
    """One delivery as it is, not locked, or None."""
    found = _deliveries(await _FIND.rows(connection, {"action_id": action_id}))
    return found[0] if found else None


async def lock_unsent(
    connection: AsyncConnection,
    *,
    runs: Iterable[tuple[str, str]] = (),
    subjects: Iterable[str] = (),
    campaigns: tuple[Iterable[str], int, int] = ((), 0, 0),
) -> list[Delivery]:
    """What a stop may still reach, locked in id order: of these (customer, run) pairs, subjects, and `campaigns` (names, partition, limit).

    That is what is queued, and what is being sent and not yet withdrawn (few rows, so the limit does not count them).
    """
    pairs, names, scopes = list(runs), list(subjects), list(campaigns[0])
    if not (pairs or names or scopes):
        return []
    bound = {
        "customers": [customer for customer, _ in pairs],
        "runs": [run for _, run in pairs],
        "subjects": names,
        "campaigns": scopes,
        "partition": campaigns[1],
        "limit": campaigns[2],
    }
    return _deliveries(await _UNSENT.rows(connection, bound))


async def queued_for(connection: AsyncConnection, campaigns: Iterable[str], partition: int, beside: Iterable[str]) -> bool:
    """Whether more is queued for these campaigns in a partition, beside these actions."""
    bound = {"campaigns": list(campaigns), "partition": partition, "ids": list(beside)}
    return bool((await _QUEUED_FOR.rows(connection, bound))[0][0])


async def existing(connection: AsyncConnection, action_ids: Sequence[str]) -> set[str]:
    """Which of the actions are deliveries already."""
    return {action_id for (action_id,) in await _EXISTING.rows(connection, {"ids": list(action_ids)})}


async def insert(connection: AsyncConnection, deliveries: Sequence[Delivery], now: datetime, partitions: int) -> None:
    """Stores new deliveries; one that is there already stays as it is. `partitions`: how many partitions every topic has."""
    if not deliveries:
        return
    contacts = [d.contact for d in deliveries]
    bound = {
        "now": now,
        "action_ids": [c.action_id for c in contacts],
        "customers": [c.customer_id for c in contacts],
        "campaigns": [c.campaign for c in contacts],
        "waves": [c.wave for c in contacts],
        "runs": [c.run_id for c in contacts],
        "channels": [c.channel for c in contacts],
        "purposes": [c.purpose for c in contacts],
        "lists": [c.list for c in contacts],
        "partitions": [partition_of(c.customer_id.encode(), partitions) for c in contacts],
        "subjects": [" ".join(c.subjects) for c in contacts],
        "states": [d.state for d in deliveries],
        "dues": [d.due_at for d in deliveries],
        "values": [c.value for c in contacts],
        "details": [d.detail for d in deliveries],
        "not_afters": [c.not_after for c in contacts],
        "contacts": [encode(c) for c in contacts],
    }
    await _INSERT.run(connection, bound)


async def update(connection: AsyncConnection, steps: Sequence[Step]) -> None:
    """Writes locked deliveries back as they are after their steps (at most one step a delivery), and remembers the steps."""
    if not steps:
        return
    after = [step.delivery for step in steps]
    bound = {
        "action_ids": [d.contact.action_id for d in after],
        "states": [d.state for d in after],
        "dues": [d.due_at for d in after],
        "attempts": [d.attempt for d in after],
        "provider_ids": [d.provider_id[:200] for d in after],
        "details": [d.detail[:500] for d in after],
        "helds": [d.held_seconds for d in after],
        "reasons": [d.withdrawn_reason for d in after],
        "providers": [d.provider for d in after],
        "costs": [d.cost for d in after],
        "ats": [step.at for step in steps],
    }
    await _UPDATE.run(connection, bound)
    await remember(connection, steps)


async def remember(connection: AsyncConnection, steps: Sequence[Step]) -> None:
    """Adds the reported steps to the deliveries' histories."""
    told = [step.outcome for step in steps if step.outcome]
    if told:
        bound = {
            "action_ids": [o.action_id for o in told],
            "kinds": [o.kind for o in told],
            "ats": [o.at for o in told],
            "details": [o.detail[:500] for o in told],
        }
        await _STEPS.run(connection, bound)


async def report(connection: AsyncConnection, steps: Sequence[Step], partitions: int) -> None:
    """Updates deliveries and hands their outcomes to the owners of the customers' partitions, all in this transaction."""
    await update(connection, steps)
    told = [step.outcome for step in steps if step.outcome]
    owed = [Timer(partition_of(o.customer_id.encode(), partitions), o.at, o.id, OUTCOME_TIMER, encode(o)) for o in told]
    await timers.schedule(connection, owed)


def _deliveries(rows: Sequence[Any]) -> list[Delivery]:
    """The columns are `contact` and, by name, fields of `Delivery`."""
    return [Delivery(**{**row, "contact": decode(row["contact"], Contact)}) for row in rows]
