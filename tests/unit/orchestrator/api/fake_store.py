"""The catalogue store in memory, for tests of the API without a socket; it obeys the same conformance suite as the real one."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nextwave_orchestrator.amounts import Used
from nextwave_orchestrator.assembly import CampaignRow, Stored, Version
from nextwave_orchestrator.catalogue import CampaignState
from nextwave_orchestrator.catalogue_store import Declared, Kind, TimerKind
from nextwave_orchestrator.proofs import Proof

PUBLISHED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class FakeSession:
    """Everything stored."""

    revision: int = 1
    changed: bool = False
    written: dict[tuple[str, str], Stored] = field(default_factory=dict)
    rows: dict[str, CampaignRow] = field(default_factory=dict)
    published: list[Version] = field(default_factory=list)
    ready: dict[str, bool] = field(default_factory=dict)
    announced: list[tuple[str, str, str]] = field(default_factory=list)
    writers: list[str] = field(default_factory=list)
    people: dict[tuple[str, int], int] = field(default_factory=dict)
    declared_by: dict[str, str] = field(default_factory=dict)
    used: dict[str, Used] = field(default_factory=dict)
    ordered: dict[str, tuple[str, datetime, Proof]] = field(default_factory=dict)

    async def document(self, kind: Kind, key: str) -> Stored | None:
        return self.written.get((kind, key))

    async def documents(self, kind: Kind, *, after: str = "", limit: int | None = None) -> list[Stored]:
        return [s for (k, key), s in sorted(self.written.items()) if k == kind and key > after][:limit]

    async def put(self, kind: Kind, key: str, body: bytes, by: str) -> Stored:
        self._write(by)
        self.written[kind, key] = Stored(key, self.revision + 1, body)
        return self.written[kind, key]

    async def campaign(self, key: str) -> CampaignRow | None:
        return self.rows.get(key)

    async def campaigns(self) -> list[CampaignRow]:
        return sorted(self.rows.values())

    async def set_campaign(self, campaign: CampaignRow, by: str) -> None:
        self._write(by)
        self.rows[campaign.key] = campaign

    async def versions(self, key: str = "") -> list[Version]:
        return sorted(v for v in self.published if key in ("", v.key))

    async def add_version(self, version: Version, by: str) -> None:
        self._write(by)
        self.published.append(version._replace(published_at=PUBLISHED_AT, published_by=by))

    async def in_flight(self, key: str) -> dict[int, int]:
        return {version: people for (campaign, version), people in self.people.items() if campaign == key}

    async def readiness(self) -> dict[str, bool]:
        return dict(sorted(self.ready.items()))

    async def set_readiness(self, system: str, ready: bool, by: str) -> None:
        self._write(by)
        self.ready[system] = ready
        self.declared_by[system] = by

    async def declared(self) -> list[Declared]:
        return [Declared(system, ready, self.declared_by[system], PUBLISHED_AT) for system, ready in sorted(self.ready.items())]

    async def allowances(self, prefix: str, *, one: bool = False) -> list[Used]:
        return [u for scope, u in sorted(self.used.items()) if (scope == prefix if one else scope.startswith(prefix))]

    async def set_capacity(self, scope: str, contacts: int, per: timedelta, by: str) -> None:
        self.used[scope] = Used(scope, contacts, per, by, PUBLISHED_AT, {})

    async def drop_capacity(self, scope: str) -> bool:
        return self.used.pop(scope, None) is not None

    async def announce(self, kind: TimerKind, campaign: str, state: CampaignState) -> None:
        self.announced.append((kind, campaign, state))

    async def proof(self, action_id: str) -> str | None:
        return self.ordered[action_id][0] if action_id in self.ordered else None

    async def proofs_since(self, at: datetime) -> list[datetime]:
        return [made for _, made, _ in self.ordered.values() if made > at]

    async def order_proof(self, proof: Proof, fingerprint: str) -> None:
        self.ordered[proof.action_id] = (fingerprint, PUBLISHED_AT, proof)

    def _write(self, by: str) -> None:
        self.changed = True
        self.writers.append(by)


class FakeStore:
    """One committed session; a change works on a copy and replaces it when it succeeds."""

    def __init__(self) -> None:
        self.committed = FakeSession()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[FakeSession]:
        yield copy.deepcopy(self.committed)

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[FakeSession]:
        session = copy.deepcopy(self.committed)
        yield session
        session.revision += session.changed
        session.changed = False
        self.committed = session

    async def revision(self) -> int:
        return self.committed.revision
