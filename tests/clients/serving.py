"""What the client tests talk to."""

from __future__ import annotations

from dataclasses import dataclass

from unit.ingest.fakes import MemoryCommitter


@dataclass(frozen=True)
class Served:
    """Where ingest listens, and what it committed."""

    url: str
    committer: MemoryCommitter
