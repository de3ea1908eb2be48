"""Counts what arrived: touchpoints by source and id, as scoring counts them."""

from __future__ import annotations

from dataclasses import dataclass

from clients.faulty import FaultyProxy
from nextwave_contracts.touchpoints import Touchpoint
from unit.ingest.fakes import MemoryCommitter


@dataclass(frozen=True)
class Collector:
    """`url`: the proxy, to which a client appends its name and case. `direct`: the door itself."""

    url: str
    direct: str
    proxy: FaultyProxy
    committer: MemoryCommitter

    def arrived(self, client: str, case: str) -> list[Touchpoint]:
        """Each touchpoint of the case's customer once."""
        who = f"customer_id:{client}/{case}"
        return list({(t.source, t.id): t for t in self.committer.touchpoints if who in t.identifiers}.values())

    def records(self, client: str, case: str) -> int:
        """How many records they were before repetitions were left out."""
        who = f"customer_id:{client}/{case}"
        return sum(who in t.identifiers for t in self.committer.touchpoints)

    def steps(self, client: str, case: str) -> list[str]:
        """What happened to the posts of the case."""
        return self.proxy.steps[client, case]
