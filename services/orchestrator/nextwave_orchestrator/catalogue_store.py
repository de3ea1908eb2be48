"""The catalogue's tables: what owners wrote, in revisions; every change raises one number, under one lock, so that readers see it whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
from nextwave_contracts.clock import Clock
from nextwave_contracts.topics import partition_of
from nextwave_runtime import timers
from nextwave_runtime.application import Timer
from nextwave_runtime.database import Database, Statement
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator import amounts
from nextwave_orchestrator.amounts import Used
from nextwave_orchestrator.assembly import CampaignRow, Stored, Version
from nextwave_orchestrator.catalogue import CampaignState
from nextwave_orchestrator.flights import people_in
from nextwave_orchestrator.proofs import PROOF, Proof

Kind = Literal["segments", "templates", "campaign_drafts", "policies", "test_addresses"]
"""The documents that owners write; also the tables' names."""
PROOFS_KEPT = timedelta(days=7)
"""How long the same order again is known to be the same."""
TimerKind = Literal["campaign_stopped", "campaign_resumed", "campaign_opened"]
_REVISION = Statement("select revision from catalogue_revision")


class Declared(NamedTuple):
    """Whether a supporting system is ready, who said so, and since when."""

    system: str
    ready: bool
    by: str
    since: datetime


class CatalogueSession(Protocol):
    """One transaction over the catalogue."""

    revision: int
    """Of the whole catalogue; a changed document gets the next one."""

    async def document(self, kind: Kind, key: str) -> Stored | None: ...
    async def documents(self, kind: Kind, *, after: str = "", limit: int | None = None) -> list[Stored]: ...
    async def put(self, kind: Kind, key: str, body: bytes, by: str) -> Stored: ...
    async def campaign(self, key: str) -> CampaignRow | None: ...
    async def campaigns(self) -> list[CampaignRow]: ...
    async def set_campaign(self, campaign: CampaignRow, by: str) -> None: ...
    async def versions(self, key: str = "") -> list[Version]:
        """All versions, or those of one campaign, oldest first."""

    async def add_version(self, version: Version, by: str) -> None: ...
    async def in_flight(self, key: str) -> dict[int, int]:
        """How many people are under way in each version of a campaign; versions without any are left out."""

    async def readiness(self) -> dict[str, bool]: ...
    async def declared(self) -> list[Declared]:
        """What operations said of every supporting system, by its name."""

    async def allowances(self, prefix: str, *, one: bool = False) -> list[Used]:
        """Budgets or capacities whose scope begins with `prefix` (or the `one` that is it), and what is used of them."""

    async def set_capacity(self, scope: str, contacts: int, per: timedelta, by: str) -> None: ...
    async def drop_capacity(self, scope: str) -> bool:
        """Whether there was one."""

    async def set_readiness(self, system: str, ready: bool, by: str) -> None: ...
    async def announce(self, kind: TimerKind, campaign: str, state: CampaignState) -> None:
        """Tells every partition's owner, by a timer due now, that it must pass this on to the channels.

        Of `campaign_opened` it sets what lets people in by time, as soon as it has read this revision.
        """

    async def proof(self, action_id: str) -> str | None:
        """The fingerprint of the order of this one; None where nobody ordered it."""

    async def proofs_since(self, at: datetime) -> list[datetime]:
        """When those of this time were ordered, oldest first."""

    async def order_proof(self, proof: Proof, fingerprint: str) -> None:
        """Hands it over to the partition's owner, who has it sent."""


class CatalogueStore(Protocol):
    """Where the catalogue is kept."""

    def reading(self) -> AbstractAsyncContextManager[CatalogueSession]:
        """A consistent view."""

    def changing(self) -> AbstractAsyncContextManager[CatalogueSession]:
        """A view in which changes may be made, one at a time; committed at the end, undone by an error."""

    async def revision(self) -> int:
        """The catalogue's revision now."""


class PostgresCatalogue:
    """The catalogue in the orchestrator's database."""

    def __init__(self, database: Database, clock: Clock, partitions: int) -> None:
        self._database = database
        self._clock = clock
        self._partitions = partitions

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[CatalogueSession]:
        """Shares the lock with other readers, so that no change comes in between."""
        async with self._database.transaction() as connection:
            yield await self._session(connection, "share")

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[CatalogueSession]:
        """Takes the lock alone."""
        async with self._database.transaction() as connection:
            session = await self._session(connection, "update")
            yield session
            if session.changed:
                await connection.execute(text("update catalogue_revision set revision = revision + 1"))

    async def revision(self) -> int:
        """The catalogue's revision now."""
        async with self._database.connection() as connection:
            ((revision,),) = await _REVISION.rows(connection)
            return int(revision)

    async def _session(self, connection: AsyncConnection, lock: Literal["share", "update"]) -> _Session:
        locked = text(f"select revision from catalogue_revision for {lock}")  # noqa: S608  (one of two words)
        revision = (await connection.execute(locked)).scalar_one()
        return _Session(connection, revision, self._clock, self._partitions)


class _Session:
    """A transaction that holds the catalogue's lock. Table names come from `Kind` alone."""

    def __init__(self, connection: AsyncConnection, revision: int, clock: Clock, partitions: int) -> None:
        self.revision = revision
        self.changed = False
        self._connection = connection
        self._clock = clock
        self._partitions = partitions

    async def document(self, kind: Kind, key: str) -> Stored | None:
        rows = await self._rows(f"select key, revision, body from {kind} where key = :key", key=key)  # noqa: S608  (a `Kind`)
        return Stored(rows[0].key, rows[0].revision, rows[0].body.encode()) if rows else None

    async def documents(self, kind: Kind, *, after: str = "", limit: int | None = None) -> list[Stored]:
        query = f"select key, revision, body from {kind} where key > :after order by key limit :limit"  # noqa: S608  (a `Kind`)
        return [Stored(r.key, r.revision, r.body.encode()) for r in await self._rows(query, after=after, limit=limit)]

    async def put(self, kind: Kind, key: str, body: bytes, by: str) -> Stored:
        statement = (
            f"insert into {kind} (key, revision, body, changed_by) values (:key, :revision, :body, :by)"  # noqa: S608  (a `Kind`)
            " on conflict (key) do update set revision = excluded.revision, body = excluded.body,"
            " changed_by = excluded.changed_by, changed_at = excluded.changed_at"
        )
        await self._write(statement, key=key, revision=self.revision + 1, body=body.decode(), by=by)
        return Stored(key, self.revision + 1, body)

    async def campaign(self, key: str) -> CampaignRow | None:
        rows = await self._rows("select key, state, version, migrates_to, drains from campaigns where key = :key", key=key)
        return CampaignRow(*rows[0]) if rows else None

    async def campaigns(self) -> list[CampaignRow]:
        query = "select key, state, version, migrates_to, drains from campaigns order by key"
        return [CampaignRow(*row) for row in await self._rows(query)]

    async def set_campaign(self, campaign: CampaignRow, by: str) -> None:
        statement = (
            "insert into campaigns (key, state, version, migrates_to, drains, changed_by)"
            " values (:key, :state, :version, :migrates_to, :drains, :by) on conflict (key) do update"
            " set state = excluded.state, version = excluded.version, migrates_to = excluded.migrates_to, drains = excluded.drains,"
            " changed_by = excluded.changed_by, changed_at = excluded.changed_at"
        )
        await self._write(statement, **campaign._asdict(), by=by)
        await amounts.follow_budget(self._connection, campaign.key, by)

    async def versions(self, key: str = "") -> list[Version]:
        query = (
            "select key, version, body, published_at, published_by from campaign_versions"
            " where :key = '' or key = :key order by key, version"
        )
        rows = await self._rows(query, key=key)
        return [Version(r.key, r.version, r.body.encode(), r.published_at, r.published_by) for r in rows]

    async def add_version(self, version: Version, by: str) -> None:
        statement = "insert into campaign_versions (key, version, body, published_by) values (:key, :version, :body, :by)"
        await self._write(statement, key=version.key, version=version.version, body=version.body.decode(), by=by)

    async def in_flight(self, key: str) -> dict[int, int]:
        return await people_in(self._connection, key)

    async def readiness(self) -> dict[str, bool]:
        return {r.system: r.ready for r in await self._rows("select system, ready from readiness order by system")}

    async def declared(self) -> list[Declared]:
        query = "select system, ready, changed_by, changed_at from readiness order by system"
        return [Declared(*row) for row in await self._rows(query)]

    async def allowances(self, prefix: str, *, one: bool = False) -> list[Used]:
        return await amounts.used(self._connection, prefix, self._clock.now(), one=one)

    async def set_capacity(self, scope: str, contacts: int, per: timedelta, by: str) -> None:
        await amounts.set_capacity(self._connection, scope, contacts, per, by)

    async def drop_capacity(self, scope: str) -> bool:
        return await amounts.drop_capacity(self._connection, scope)

    async def set_readiness(self, system: str, ready: bool, by: str) -> None:
        statement = (
            "insert into readiness (system, ready, changed_by) values (:system, :ready, :by) on conflict (system) do update"
            " set ready = excluded.ready, changed_by = excluded.changed_by, changed_at = excluded.changed_at"
        )
        await self._write(statement, system=system, ready=ready, by=by)

    async def announce(self, kind: TimerKind, campaign: str, state: CampaignState) -> None:
        due_at = self._clock.now()
        said = str(self.revision + 1) if kind == "campaign_opened" else state
        told = [Timer(n, due_at, campaign, kind, said.encode()) for n in range(self._partitions)]
        await timers.schedule(self._connection, told)

    async def proof(self, action_id: str) -> str | None:
        rows = await self._rows("select fingerprint from proofs where action_id = :action_id", action_id=action_id)
        return rows[0].fingerprint if rows else None

    async def proofs_since(self, at: datetime) -> list[datetime]:
        return [row.at for row in await self._rows("select at from proofs where at > :at order by at", at=at)]

    async def order_proof(self, proof: Proof, fingerprint: str) -> None:
        now = self._clock.now()
        await self._connection.execute(text("delete from proofs where at < :at"), {"at": now - PROOFS_KEPT})
        ordered = {"action_id": proof.action_id, "fingerprint": fingerprint, "by": proof.by, "at": now}
        await self._connection.execute(text("insert into proofs values (:action_id, :fingerprint, :by, :at)"), ordered)
        partition = partition_of(proof.customer_id.encode(), self._partitions)
        await timers.schedule(self._connection, [Timer(partition, now, proof.action_id, PROOF, msgspec.msgpack.encode(proof))])

    async def _rows(self, query: str, **bound: Any) -> Sequence[Any]:
        return (await self._connection.execute(text(query), bound)).all()

    async def _write(self, statement: str, **bound: Any) -> None:
        self.changed = True
        await self._connection.execute(text(statement), bound)
