"""Subscriptions as they are stored: each under its token, which stands for it everywhere else in the ring."""

from __future__ import annotations

import asyncio

import structlog
from nextwave_contracts.identifiers import WEB_PUSH, blind
from nextwave_runtime.database import UNAVAILABLE, Database, Statement

from nextwave_channels.push.sealing import Recipient

KEEP_DAYS = 180
"""How long a subscription is kept that its page does not bring again and its push service takes nothing for."""
EXPIRE_MAX = 1000
"""Rows that one statement drops."""
PAUSE_SECONDS = 1.0
"""Between two such pieces."""
EXPIRE_EVERY_SECONDS = 86_400.0
_log = structlog.get_logger()
_PUT = Statement(
    "insert into push_subscriptions (token, endpoint, point, auth, source)"
    " select cast(:token as text), cast(:endpoint as text), cast(:point as bytea), cast(:auth as bytea), cast(:source as text)"
    " where exists (select from push_subscriptions where token = :token)"
    " or (select count(*) from (select from push_subscriptions where source = :source limit :most) of_source) < :most"
    " on conflict (token) do update set point = excluded.point, auth = excluded.auth, source = excluded.source, renewed_at = now()"
)
_FIND = Statement("select endpoint, point, auth from push_subscriptions where token = :token")
_ALIVE = Statement("update push_subscriptions set renewed_at = now() where token = :token and renewed_at < now() - interval '1 day'")
_EXPIRE = Statement(
    "delete from push_subscriptions where token in (select token from push_subscriptions"
    " where renewed_at < now() - :days * interval '1 day' limit :limit for update skip locked)"
)
_REMOVE = Statement("delete from push_subscriptions where token = :token")


def token_of(endpoint: str, key: bytes) -> str:
    """The device token of an endpoint: the same for the same one, and no way back to it."""
    return WEB_PUSH + blind(f"webpush:{endpoint}", key)


class Subscriptions:
    """Those of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, token: str, recipient: Recipient, source: str, most: int) -> bool:
        """Stores a subscription, or the newer keys of one; False where it would be a new one and its source has `most`."""
        stored = {"token": token, "endpoint": recipient.endpoint, "point": recipient.point, "auth": recipient.auth}
        async with self._database.connection() as connection:
            return await _PUT.run(connection, {**stored, "source": source, "most": most}) > 0

    async def find(self, token: str) -> Recipient | None:
        """The subscription of a token."""
        async with self._database.connection() as connection:
            rows = await _FIND.rows(connection, {"token": token})
        return Recipient(*rows[0]) if rows else None

    async def is_alive(self, token: str) -> None:
        """Its push service took a message for it: it is kept on."""
        async with self._database.connection() as connection:
            await _ALIVE.run(connection, {"token": token})

    async def expire(self) -> int:
        """Drops some of those that were neither renewed nor sent to for 180 days; returns how many."""
        async with self._database.connection() as connection:
            return await _EXPIRE.run(connection, {"days": KEEP_DAYS, "limit": EXPIRE_MAX})

    async def remove(self, token: str) -> None:
        """Forgets a subscription that has ended."""
        async with self._database.connection() as connection:
            await _REMOVE.run(connection, {"token": token})


async def watch_subscriptions(subscriptions: Subscriptions) -> None:
    """Drops what is kept too long, a piece at a time, until cancelled."""
    while True:
        dropped = 0
        try:
            dropped = await subscriptions.expire()
        except UNAVAILABLE as error:
            _log.warning("old_subscriptions_wait", error=repr(error)[:300])
        await asyncio.sleep(PAUSE_SECONDS if dropped == EXPIRE_MAX else EXPIRE_EVERY_SECONDS)
