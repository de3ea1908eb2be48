"""The customers of a partition in pages, by their id, for walks; the only SQL that visits customers of whom nothing was heard."""

from __future__ import annotations

from datetime import datetime

from nextwave_runtime.application import Work
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.triggers.walk import PAGE, WALK, walk_of

Pages = dict[tuple[str, datetime], tuple[str, ...]]
"""By key and due time of a walk's timer, the customers of its page."""
WALKS_MAX = 2
"""Pages read for one batch; other walks wait for the next one."""
_PAGE = text(
    "select customer_id from ("
    "(select customer_id from customer_states where partition = :partition and customer_id > :after order by customer_id limit :most)"
    " union all (select customer_id from customer_states where partition is null and customer_id > :after"
    " and crc32(convert_to(customer_id, 'UTF8')) % :partitions = :partition order by customer_id limit :most)"
    ") page order by customer_id limit :most"
)
"""What the build before wrote has no partition yet; a partial index finds it, and it is empty once each was touched again."""


async def load(connection: AsyncConnection, work: Work) -> Pages:
    """The pages of the batch's walks, in the order of their timers, at most `WALKS_MAX`."""
    walks = [timer for timer in work.timers if timer.kind == WALK][:WALKS_MAX]
    return {(t.key, t.due_at): await page(connection, work.partition, work.partitions, walk_of(t).cursor) for t in walks}


async def page(connection: AsyncConnection, partition: int, partitions: int, after: str) -> tuple[str, ...]:
    """The next `PAGE` customers of a partition, by id."""
    bound = {"partition": partition, "partitions": partitions, "after": after, "most": PAGE}
    return tuple((await connection.execute(_PAGE, bound)).scalars())
