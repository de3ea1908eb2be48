"""All SQL of call lists: capacities, calls begun, what was learned of them, and who is on a list. Deliveries change in `store` alone.

Claims of calls go one after another, each in its transaction: so what one of them counted holds until its own calls are counted too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nextwave_contracts.actions import Contact
from nextwave_contracts.wire import decode
from nextwave_runtime.database import Statement
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_channels.call_lists.entry import ABANDONED
from nextwave_channels.call_lists.predictive import Capacity, Seen
from nextwave_channels.delivery import Delivery

RINGS_AT_MOST = timedelta(seconds=45)
"""A call that is out for longer does not ring any more: somebody talks, or dials at leisure."""
REMEMBERED = 300
"""Calls of a list that are learned from."""
KEPT = timedelta(days=7)
FORGOTTEN_AT_ONCE = 100
_COUNTED = "d.state not in ('due', 'withdrawn', 'expired', 'failed')"
_ITS_DELIVERY = "join deliveries d on d.action_id = a.action_id and d.attempt = a.attempt"

_CLAIMING = Statement("select pg_advisory_xact_lock(7203916)")
# From list to list by the index on both, however many calls wait on each.
_DUE = Statement(
    "with recursive names as ((select list from deliveries where channel = 'call' and state = 'due' order by list limit 1)"
    " union all select (select d.list from deliveries d where d.channel = 'call' and d.state = 'due' and d.list > names.list"
    " order by d.list limit 1) from names where names.list is not null)"
    " select names.list, first.due_at from names cross join lateral (select d.due_at from deliveries d where d.channel = 'call'"
    " and d.state = 'due' and d.list = names.list and d.held_until <= clock_timestamp() order by d.due_at limit 1) as first"
)
_CAPACITIES = Statement("select list, agents, handling_seconds, answer_rate, abandon_target, ring_seconds from call_capacities")
_PUT = Statement(
    "insert into call_capacities (list, agents, handling_seconds, answer_rate, abandon_target, ring_seconds, changed_by, changed_at)"
    " values (:list, :agents, :handling_seconds, :answer_rate, :abandon_target, :ring_seconds, :by, :now) on conflict (list) do update"
    " set agents = excluded.agents, handling_seconds = excluded.handling_seconds, answer_rate = excluded.answer_rate,"
    " abandon_target = excluded.abandon_target, ring_seconds = excluded.ring_seconds, changed_by = excluded.changed_by,"
    " changed_at = excluded.changed_at"
)
_DROP = Statement("delete from call_capacities where list = :list")
_OPEN = Statement(
    "select count(*) filter (where d.state <> 'delivered' and a.at > :ringing_since) as ringing,"  # noqa: S608  (constants, above)
    " count(*) filter (where d.state = 'delivered' or a.at <= :ringing_since) as talking"
    f" from call_attempts a {_ITS_DELIVERY} where a.list = :list and a.at > :since"
    " and d.state in ('sending', 'accepted', 'delivered')"
)
_SEEN = Statement(
    "with last as (select action_id, attempt from call_attempts where list = :list and at <= :ripe order by at desc limit :limit),"  # noqa: S608  (constants, above)
    " ends as (select d.action_id, d.state in ('delivered', 'answered', 'refused') or d.detail like :abandoned as picked_up,"
    f" d.state = 'no_answer' and d.detail like :abandoned as abandoned from last a {_ITS_DELIVERY}"
    " where d.state in ('delivered', 'answered', 'refused', 'no_answer', 'busy', 'bounced')),"
    " talks as (select extract(epoch from e.at - p.at) as seconds from ends join steps p on p.action_id = ends.action_id"
    " and p.kind = 'delivered' join steps e on e.action_id = ends.action_id and e.kind = 'answered' where e.at >= p.at)"
    " select (select count(*) from ends) as ended, (select count(*) from ends where picked_up) as picked_up,"
    " (select count(*) from ends where abandoned) as abandoned, (select count(*) from talks) as talks,"
    " (select coalesce(sum(seconds), 0)::double precision from talks) as talk_seconds"
)
_MADE = Statement(
    f"select a.number, a.customer_id, a.at from call_attempts a {_ITS_DELIVERY}"  # noqa: S608  (constants, above)
    " where (a.number = any(cast(:numbers as text[])) and a.number <> '' or a.customer_id = any(cast(:customers as text[])))"
    f" and a.at > :since and {_COUNTED}"
)
_BEGIN = Statement(
    "insert into call_attempts (action_id, attempt, list, number, customer_id, at) select action_id, attempt, list, number, customer_id,"
    " cast(:now as timestamptz) from unnest(cast(:action_ids as text[]), cast(:attempts as int[]), cast(:lists as text[]),"
    " cast(:numbers as text[]), cast(:customers as text[])) as n(action_id, attempt, list, number, customer_id) on conflict do nothing"
)
_HOLD = Statement(
    "update call_attempts a set holder = :holder"
    " from unnest(cast(:action_ids as text[]), cast(:attempts as int[])) as n(action_id, attempt)"
    " where a.action_id = n.action_id and a.attempt = n.attempt"
)
_HOLDER = Statement("select holder from call_attempts where action_id = :action_id and attempt = :attempt")
_FORGET = Statement(
    "delete from call_attempts where ctid = any(array(select ctid from call_attempts where at < :before order by at limit :limit))"
)
_COUNTS = Statement(
    "select 'queued' as state, count(*) from deliveries where channel = 'call' and list = :list and state = 'due'"  # noqa: S608  (constants, above)
    f" union all select d.state, count(*) from call_attempts a {_ITS_DELIVERY}"
    " where a.list = :list and a.at > :since and d.state <> 'due' group by 1"
)
_OUT = Statement(
    "select contact, state, due_at, attempt, provider_id, detail, withdrawn_reason, provider,"
    " extract(epoch from held_until - clock_timestamp())::double precision as held_seconds, coalesce((select holder from call_attempts a"
    " where a.action_id = deliveries.action_id and a.attempt = deliveries.attempt), '') as holder"
    " from deliveries where channel = 'call' and state = 'sending' and list = :list and (not :retracted or withdrawn_reason <> '')"
    " and action_id > :after order by action_id limit :limit"
)
_QUEUED = Statement(
    "select contact, state, due_at, attempt, provider_id, detail, withdrawn_reason, null::double precision as held_seconds"
    " from deliveries where channel = 'call' and state = 'due' and list = :list and action_id > :after order by action_id limit :limit"
)
_TO_RETRACT = Statement(
    "select action_id, attempt from deliveries"
    " where channel = 'call' and state = 'sending' and withdrawn_reason <> '' and provider = :provider order by changed_at limit :limit"
)
_RETRACTED = Statement(
    "select contact, state, due_at, attempt, provider_id, detail, withdrawn_reason from deliveries"
    " where action_id = any(cast(:action_ids as text[])) and state = 'sending' and withdrawn_reason <> ''"
)


@dataclass(frozen=True, slots=True)
class Open:
    """A list's calls that have not ended: those that ring, and those that keep an agent."""

    ringing: int
    talking: int


async def enter_claim(connection: AsyncConnection) -> None:
    """Waits for other claims of calls, until the transaction ends. It comes after `store.enter_claim`."""
    await _CLAIMING.run(connection)


async def due(connection: AsyncConnection) -> dict[str, datetime]:
    """From when on (business time) a call is due, for each list on which any is queued."""
    return {row["list"]: row["due_at"] for row in await _DUE.rows(connection, {})}


async def capacities(connection: AsyncConnection) -> dict[str, Capacity]:
    """What was said of each list; a list without is not limited."""
    return {row["list"]: Capacity(**{name: row[name] for name in _NAMES}) for row in await _CAPACITIES.rows(connection)}


async def put_capacity(connection: AsyncConnection, name: str, said: Capacity, by: str, now: datetime) -> None:
    """Says what a list's agents can take."""
    await _PUT.run(connection, {"list": name, **{field: getattr(said, field) for field in _NAMES}, "by": by, "now": now})


async def drop_capacity(connection: AsyncConnection, name: str) -> bool:
    """Lifts a list's limit; False when it had none."""
    return await _DROP.run(connection, {"list": name}) == 1


async def open_calls(connection: AsyncConnection, name: str, said: Capacity, now: datetime) -> Open:
    """A list's calls that have not ended. One of whose end nobody tells is given up after three times the handling time."""
    longest = timedelta(seconds=3 * said.handling_seconds) + RINGS_AT_MOST
    bound = {"list": name, "ringing_since": now - RINGS_AT_MOST, "since": now - longest}
    (row,) = await _OPEN.rows(connection, bound)
    return Open(row["ringing"], row["talking"])


async def seen(connection: AsyncConnection, name: str, now: datetime) -> Seen:
    """What a list's last calls were like."""
    bound = {"list": name, "ripe": now - RINGS_AT_MOST, "limit": REMEMBERED, "abandoned": ABANDONED + "%"}
    (row,) = await _SEEN.rows(connection, bound)
    return Seen(**row)


async def made(connection: AsyncConnection, contacts: Sequence[Contact], since: datetime) -> list[tuple[str, str, datetime]]:
    """The calls to these numbers and customers that began after `since`; one that surely was not made does not count."""
    bound = {"numbers": [c.address_subject for c in contacts], "customers": [c.customer_id for c in contacts], "since": since}
    return [tuple(row) for row in await _MADE.rows(connection, bound)]


async def begin(connection: AsyncConnection, claimed: Sequence[Delivery], now: datetime) -> None:
    """Writes down that these calls begin, and forgets some of those that began long ago."""
    contacts = [d.contact for d in claimed]
    bound = {
        "now": now,
        "action_ids": [c.action_id for c in contacts],
        "attempts": [d.attempt + 1 for d in claimed],
        "lists": [c.list for c in contacts],
        "numbers": [c.address_subject for c in contacts],
        "customers": [c.customer_id for c in contacts],
    }
    await _BEGIN.run(connection, bound)
    await _FORGET.run(connection, {"before": now - KEPT, "limit": FORGOTTEN_AT_ONCE})


async def hold(connection: AsyncConnection, claimed: Sequence[Delivery], holder: str) -> None:
    """Writes down who came for these calls, which begin with this claim."""
    bound = {"holder": holder, "action_ids": [d.contact.action_id for d in claimed], "attempts": [d.attempt for d in claimed]}
    await _HOLD.run(connection, bound)


async def holder_of(connection: AsyncConnection, delivery: Delivery) -> str:
    """The name of the token that pulled the call as it is now; empty: nobody did, or it was long ago."""
    rows = await _HOLDER.rows(connection, {"action_id": delivery.contact.action_id, "attempt": delivery.attempt})
    return rows[0][0] if rows else ""


async def counts(connection: AsyncConnection, name: str, since: datetime) -> dict[str, int]:
    """How many calls of a list are queued, and what became of those that began after `since`, by state."""
    return {state: count for state, count in await _COUNTS.rows(connection, {"list": name, "since": since}) if count}


async def handed_out(
    connection: AsyncConnection, name: str, after: str, limit: int, *, retracted: bool = False
) -> list[tuple[Delivery, str]]:
    """Calls that are out, by action, each with who pulled it (empty: nobody); `held_seconds` is what is left of the lease.

    `retracted`: those alone that must not be made.
    """
    bound = {"list": name, "after": after, "limit": limit, "retracted": retracted}
    rows = [dict(row) for row in await _OUT.rows(connection, bound)]
    holders = [row.pop("holder") for row in rows]
    return list(zip(_deliveries(rows), holders, strict=True))


async def queued(connection: AsyncConnection, name: str, after: str, limit: int) -> list[Delivery]:
    """Calls that wait, by action."""
    return _deliveries(await _QUEUED.rows(connection, {"list": name, "after": after, "limit": limit}))


async def to_retract(connection: AsyncConnection, provider: str, limit: int) -> list[tuple[str, int]]:
    """Calls (action and attempt) in a provider's hands that must not be made any more, longest known first."""
    return [tuple(row) for row in await _TO_RETRACT.rows(connection, {"provider": provider, "limit": limit})]


async def retracted(connection: AsyncConnection, action_ids: Sequence[str]) -> list[Delivery]:
    """These calls, as far as they are out and must not be made any more."""
    return _deliveries(await _RETRACTED.rows(connection, {"action_ids": list(action_ids)}))


_NAMES = ("agents", "handling_seconds", "answer_rate", "abandon_target", "ring_seconds")


def _deliveries(rows: Sequence[Any]) -> list[Delivery]:
    return [Delivery(**{**row, "contact": decode(row["contact"], Contact)}) for row in rows]
