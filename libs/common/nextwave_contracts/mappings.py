"""`nextwave.mappings.v1`: how foreign bodies become touchpoints, as people wrote it, version by version."""

from __future__ import annotations

from nextwave_contracts.wire import Instant, Message


class MappingVersion(Message, frozen=True, kw_only=True):
    """One version of a mapping. It counts only if its number follows that of the version before it on the topic: of two writers one wins.

    `id` tells writers apart. A retired version takes the name out of force, and a mapping of that name that is shipped is in force again.
    """

    id: str
    name: str
    version: int
    document: str
    """JSON; empty where it is retired."""
    by: str
    """The name of the writer's key."""
    at: Instant
    retired: bool = False
