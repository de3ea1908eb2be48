"""Subscriptions as they are stored: each under its token, which stands for it everywhere else in the ring."""

from __future__ import annotations

from nextwave_contracts.identifiers import blind
from nextwave_runtime.database import Database, Statement

from nextwave_channels.push.sealing import Recipient

_PUT = Statement(
    "insert into push_subscriptions (token, endpoint, point, auth, source) values (:token, :endpoint, :point, :auth, :source)"
    " on conflict (token) do update set point = excluded.point, auth = excluded.auth, source = excluded.source, renewed_at = now()"
)
_FIND = Statement("select endpoint, point, auth from push_subscriptions where token = :token")
_REMOVE = Statement("delete from push_subscriptions where token = :token")


def token_of(endpoint: str, key: bytes) -> str:
    """The device token of an endpoint: the same for the same one, and no way back to it."""
    return blind(f"webpush:{endpoint}", key)


class Subscriptions:
    """Those of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, token: str, recipient: Recipient, source: str) -> None:
        """Stores a subscription, or the newer keys of one."""
        bound = {"token": token, "endpoint": recipient.endpoint, "point": recipient.point, "auth": recipient.auth, "source": source}
        async with self._database.connection() as connection:
            await _PUT.run(connection, bound)

    async def find(self, token: str) -> Recipient | None:
        """The subscription of a token."""
        async with self._database.connection() as connection:
            rows = await _FIND.rows(connection, {"token": token})
        return Recipient(*rows[0]) if rows else None

    async def remove(self, token: str) -> None:
        """Forgets a subscription that has ended."""
        async with self._database.connection() as connection:
            await _REMOVE.run(connection, {"token": token})
