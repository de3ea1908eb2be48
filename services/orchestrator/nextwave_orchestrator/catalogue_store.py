"""The catalogue's tables: what owners wrote, in revisions; every change raises one number, under one lock, so that readers see it whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal, Protocol

from nextwave_contracts.clock import Clock
from nextwave_runtime import timers
from nextwave_runtime.application import Timer
from nextwave_runtime.database import Database
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from nextwave_orchestrator.assembly import CampaignRow, Stored, Version
from nextwave_orchestrator.catalogue import CampaignState

Kind = Literal["segments", "templates", "campaign_drafts", "policies"]
"""The documents that owners write; also the tables' names."""
TimerKind = Literal["campaign_stopped", "campaign_resumed"]


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
    async def readiness(self) -> dict[str, bool]: ...
    async def set_readiness(self, system: str, ready: bool, by: str) -> None: ...
    async def announce(self, kind: TimerKind, campaign: str, state: CampaignState) -> None:
        """Tells every partition's owner, by a timer due now, that it must pass this on to the channels."""


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
        async with self._database.transaction() as connection:
            return int((await connection.execute(text("select revision from catalogue_revision"))).scalar_one())

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
        rows = await self._rows("select key, state, version from campaigns where key = :key", key=key)
        return CampaignRow(*rows[0]) if rows else None

    async def campaigns(self) -> list[CampaignRow]:
        return [CampaignRow(*row) for row in await self._rows("select key, state, version from campaigns order by key")]

    async def set_campaign(self, campaign: CampaignRow, by: str) -> None:
        statement = (
            "insert into campaigns (key, state, version, changed_by) values (:key, :state, :version, :by) on conflict (key) do update"
            " set state = excluded.state, version = excluded.version, changed_by = excluded.changed_by, changed_at = excluded.changed_at"
        )
        await self._write(statement, key=campaign.key, state=campaign.state, version=campaign.version, by=by)

    async def versions(self, key: str = "") -> list[Version]:
        query = "select key, version, body from campaign_versions where :key = '' or key = :key order by key, version"
        return [Version(r.key, r.version, r.body.encode()) for r in await self._rows(query, key=key)]

    async def add_version(self, version: Version, by: str) -> None:
        statement = "insert into campaign_versions (key, version, body, published_by) values (:key, :version, :body, :by)"
        await self._write(statement, key=version.key, version=version.version, body=version.body.decode(), by=by)

    async def readiness(self) -> dict[str, bool]:
        return {r.system: r.ready for r in await self._rows("select system, ready from readiness order by system")}

    async def set_readiness(self, system: str, ready: bool, by: str) -> None:
        statement = (
            "insert into readiness (system, ready, changed_by) values (:system, :ready, :by) on conflict (system) do update"
            " set ready = excluded.ready, changed_by = excluded.changed_by, changed_at = excluded.changed_at"
        )
        await self._write(statement, system=system, ready=ready, by=by)

    async def announce(self, kind: TimerKind, campaign: str, state: CampaignState) -> None:
        due_at = self._clock.now()
        told = [Timer(n, due_at, campaign, kind, state.encode()) for n in range(self._partitions)]
        await timers.schedule(self._connection, told)

    async def _rows(self, query: str, **bound: Any) -> Sequence[Any]:
        return (await self._connection.execute(text(query), bound)).all()

    async def _write(self, statement: str, **bound: Any) -> None:
        self.changed = True
        await self._connection.execute(text(statement), bound)
