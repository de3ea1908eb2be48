"""Reads customers from a random place on, in the order of their ids, which say nothing of the customer: a random sample by an index.

Ids are UUIDs made of a hash, so that neighbours have nothing in common. (TABLESAMPLE takes whole pages of the table, whose rows were
written at one time and are alike, or reads all of them.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any, NamedTuple

from nextwave_contracts.customers import Snapshot
from nextwave_runtime.database import Database
from sqlalchemy import Row, TextClause, text

from nextwave_orchestrator.audience.estimate import Estimate, estimate
from nextwave_orchestrator.catalogue import Facts, Predicate
from nextwave_orchestrator.state import CustomerState, from_bytes

PAGE = 250
SAMPLED_MAX = 2_000
"""Customers looked at for a size: half of all is then told to two points of a hundred."""
STRETCH_SECONDS = 0.005
"""How long it looks at customers before others in this process have their turn; a costly rule takes milliseconds for each."""
VISITED_MAX = 5_000
"""Customers looked at for members of a small segment."""
_ON = text("select customer_id, state from customer_states where customer_id > :after order by customer_id limit :most")
_AROUND = text(
    "select customer_id, state from customer_states where customer_id > :after and customer_id <= :until order by customer_id limit :most"
)
_CUSTOMERS = text(
    "select coalesce(case when c.relpages > 0 then c.reltuples / c.relpages * pg_relation_size(c.oid)"
    " / current_setting('block_size')::int end,"
    " s.n_live_tup, 0)::bigint from pg_class c join pg_stat_user_tables s on s.relid = c.oid where c.oid = 'customer_states'::regclass"
)
"""About how many rows there are, in constant time: as PostgreSQL's planner tells, rows a page at the last vacuum or analysis times pages.

(Its running count of rows, which serves before the first analysis, counts twice what was reported late.)
"""


class Members(NamedTuple):
    """Some members of a segment; `complete`: there are no others. So many customers were looked at."""

    found: list[Snapshot]
    visited: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Sampler:
    """Looks at customers from `start` (a random UUID) on and round to it again, a bounded number, and lets others run in between."""

    database: Database
    start: str
    now: datetime

    async def size(self, matches: Predicate) -> Estimate:
        """About how many customers match."""
        sampled = matched = 0
        whole = True
        async for state in self._states():
            if sampled >= SAMPLED_MAX:
                whole = False
                break
            sampled += 1
            matched += self._profile(state, matches) is not None
        return estimate(matched, sampled, await self._customers(), whole=whole)

    async def members(self, matches: Predicate, limit: int) -> Members:
        """At most `limit` customers who match."""
        found: list[Snapshot] = []
        visited = 0
        async for state in self._states():
            if visited >= VISITED_MAX or len(found) > limit:
                return Members(found[:limit], visited, complete=False)
            visited += 1
            if (profile := self._profile(state, matches)) is not None:
                found.append(profile)
        return Members(found[:limit], visited, complete=len(found) <= limit)

    def _profile(self, state: CustomerState, matches: Predicate) -> Snapshot | None:
        """The customer's profile if they match; whoever became part of another does not."""
        if state.profile is None or state.absorbed_into or not matches(Facts(state.profile, state.history, self.now)):
            return None
        return state.profile

    async def _states(self) -> AsyncIterator[CustomerState]:
        """Every customer once."""
        began = perf_counter()
        async for page in self._pages():
            for row in page:
                if perf_counter() - began > STRETCH_SECONDS:
                    await asyncio.sleep(0)
                    began = perf_counter()
                yield from_bytes(row.state)

    async def _pages(self) -> AsyncIterator[Sequence[Row[Any]]]:
        """As they are stored, in pages that are not empty."""
        for query, place in ((_ON, self.start), (_AROUND, "")):
            after = place
            while page := await self._page(query, after):
                yield page
                after = page[-1].customer_id

    async def _page(self, query: TextClause, after: str) -> Sequence[Row[Any]]:
        bound = {"after": after, "most": PAGE} | ({"until": self.start} if query is _AROUND else {})
        async with self.database.transaction() as connection:
            return (await connection.execute(query, bound)).all()

    async def _customers(self) -> int:
        async with self.database.transaction() as connection:
            return int((await connection.execute(_CUSTOMERS)).scalar_one())
