"""All SQL of the decision side: customers' states for the processor, decisions for the processor to write and people to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from nextwave_contracts.decisions import Decision
from nextwave_contracts.topics import partition_of
from nextwave_contracts.wire import decode, encode
from nextwave_runtime.database import Database, Statement
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.candidate import GateInput
from nextwave_orchestrator.decisions import Judged
from nextwave_orchestrator.state import CustomerState, from_bytes, to_bytes

_LOAD = Statement("select customer_id, state from customer_states where customer_id = any(cast(:ids as text[]))")
_SAVE = Statement(
    "insert into customer_states (customer_id, partition, runs, updated_at, state)"
    " select * from unnest(cast(:ids as text[]), cast(:partitions as int[]), cast(:runs as int[]), cast(:updated as timestamptz[]),"
    " cast(:states as bytea[]))"
    " on conflict (customer_id) do update"
    " set partition = excluded.partition, runs = excluded.runs, updated_at = excluded.updated_at, state = excluded.state"
)
_INSERT = Statement(
    "insert into decisions (decision_id, customer_id, campaign, wave, segment, channel, result, reason, at, record, given)"
    " select * from unnest(cast(:ids as text[]), cast(:customers as text[]), cast(:campaigns as text[]), cast(:waves as text[]),"
    " cast(:segments as text[]), cast(:channels as text[]), cast(:results as text[]), cast(:reasons as text[]),"
    " cast(:ats as timestamptz[]), cast(:records as bytea[]), cast(:givens as bytea[]))"
    " on conflict (decision_id) do nothing"
)
_FIND = "select at, decision_id, record from decisions where {where} order by at desc, decision_id desc limit :limit"
_CONDITIONS = {
    "customer": "customer_id = :customer",
    "campaign": "campaign = :campaign",
    "code": "reason = :code",
    "since": "at >= :since",
    "before_at": "(at, decision_id) < (cast(:before_at as timestamptz), cast(:before_id as text))",
}
"""By what is asked. What is not asked is left out, since PostgreSQL finds no index by `:campaign is null or campaign = :campaign`."""
_ONE = text("select record, given from decisions where decision_id = :id")


async def load_states(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, CustomerState]:
    """The states of those customers that have one. Their partition's fence keeps every other writer away."""
    if not ids:
        return {}
    rows = await _LOAD.rows(connection, {"ids": list(ids)})
    return {customer_id: from_bytes(state) for customer_id, state in rows}


async def find_state(database: Database, customer_id: str) -> CustomerState | None:
    """One customer's state as it was last saved, by one row."""
    async with database.transaction() as connection:
        return (await load_states(connection, [customer_id])).get(customer_id)


async def save_states(connection: AsyncConnection, states: Sequence[CustomerState], partitions: int) -> None:
    """Writes the states, in the caller's order (by id, so that no two writers wait for each other crosswise).

    With each its partition, one of so many, by which walks find it.
    """
    if not states:
        return
    bound = {
        "ids": [state.customer_id for state in states],
        "partitions": [partition_of(state.customer_id.encode(), partitions) for state in states],
        "runs": [len(state.runs) for state in states],
        "updated": [state.updated_at for state in states],
        "states": [to_bytes(state) for state in states],
    }
    await _SAVE.run(connection, bound)


async def insert_decisions(connection: AsyncConnection, judged: Sequence[Judged]) -> None:
    """Writes decisions with the input that leads to them again."""
    if not judged:
        return
    made = [one.decision for one in judged]
    bound = {
        "ids": [d.decision_id for d in made],
        "customers": [d.customer_id for d in made],
        "campaigns": [d.campaign for d in made],
        "waves": [d.wave for d in made],
        "segments": [d.segment for d in made],
        "channels": [d.channel for d in made],
        "results": [d.result for d in made],
        "reasons": [d.reason for d in made],
        "ats": [d.at for d in made],
        "records": [encode(d) for d in made],
        "givens": [msgspec.msgpack.encode(one.given) for one in judged],
    }
    await _INSERT.run(connection, bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the decisions; None asks for all. `before` is the last (at, id) of the page before."""

    customer: str | None = None
    campaign: str | None = None
    code: str | None = None
    since: datetime | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 100


def written(asked: Question) -> tuple[str, dict[str, object]]:
    """The question as SQL, with its parameters: at, id and record, the newest first."""
    before_at, before_id = asked.before or (None, None)
    known = {"customer": asked.customer, "campaign": asked.campaign, "code": asked.code, "since": asked.since, "before_at": before_at}
    bound: dict[str, object] = {name: value for name, value in known.items() if value is not None}
    where = " and ".join(_CONDITIONS[name] for name in bound) or "true"
    if asked.before:
        bound["before_id"] = before_id
    return _FIND.format(where=where), {**bound, "limit": asked.limit}


async def find_decisions(connection: AsyncConnection, asked: Question) -> list[Decision]:
    """The newest decisions first, at most `limit`."""
    question, bound = written(asked)
    rows = await connection.execute(text(question), bound)
    return [decode(record, Decision) for _at, _id, record in rows.all()]


async def find_decision(connection: AsyncConnection, decision_id: str) -> tuple[Decision, GateInput] | None:
    """One decision and its input."""
    row = (await connection.execute(_ONE, {"id": decision_id})).one_or_none()
    return None if row is None else (decode(row.record, Decision), msgspec.msgpack.decode(row.given, type=GateInput))
