"""Many customers who are there already: copies of those who signed up, written into the databases."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

_STEP = 100_000
_ID = "md5('crowd ' || n)::uuid"
_COPIED = "band, stage, cell, pattern, cause, cohort, band_since, revenue, margin, acquisition, direct, indirect, state"
_SEEDS = "create temporary table seeds as select row_number() over () - 1 as place, {} from {}"
_CUSTOMERS = (
    f"insert into customers (id, {_COPIED}) select {_ID}, {_COPIED} from generate_series($1::bigint, $2::bigint) n"
    " join seeds on place = n % (select count(*) from seeds)"
)
_NAMES = (
    "insert into identifiers (name, customer_id)"
    f" select replace($3::text, '?', lpad(n::text, greatest($4::int, length(n::text)), '0')), {_ID}"
    " from generate_series($1::bigint, $2::bigint) n"
)
_STATES = (
    "insert into customer_states (customer_id, runs, updated_at, state)"
    " select id, runs, updated_at, decode(replace(encode(state, 'hex'), encode(was::bytea, 'hex'), encode(id::bytea, 'hex')), 'hex')"
    f" from (select {_ID}::text as id, seeds.* from generate_series($1::bigint, $2::bigint) n"
    " join seeds on place = n % (select count(*) from seeds)) copies"
)


async def known_to_scoring(connection: asyncpg.Connection, numbers: range, names: Sequence[str], digits: int = 1) -> None:
    """Customers of these numbers, each with these names, in which `?` stands for the number in so many digits."""
    await connection.execute(_SEEDS.format(_COPIED, "customers"))
    for first in range(numbers.start, numbers.stop, _STEP):
        last = min(first + _STEP, numbers.stop) - 1
        await connection.execute(_CUSTOMERS, first, last)
        for name in names:
            await connection.execute(_NAMES, first, last, name, digits)
    await connection.execute("analyze customers, identifiers")


async def known_to_the_orchestrator(connection: asyncpg.Connection, numbers: range) -> None:
    """The same customers, as the orchestrator knows those who signed up."""
    await connection.execute(_SEEDS.format("customer_id as was, runs, updated_at, state", "customer_states"))
    for first in range(numbers.start, numbers.stop, _STEP):
        await connection.execute(_STATES, first, min(first + _STEP, numbers.stop) - 1)
    await connection.execute("analyze customer_states")
