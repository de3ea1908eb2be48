"""A backlog at the channels of a running ring, put straight into their queue, and an outside witness of every claim."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec
from nextwave_channels import store
from nextwave_channels.delivery import queue
from nextwave_contracts.actions import Channel, Contact, Content, Span
from nextwave_contracts.identifiers import INTERNAL, blind
from nextwave_contracts.links import Link, sign
from nextwave_local.credentials import Credentials
from nextwave_local.folder import Folder
from nextwave_runtime.database import Database
from ring.ring import Ring
from sqlalchemy import text
from stack import PARTITIONS

AT_ONCE = 4000
WITNESS = (
    "create table witnessed (action_id text not null, at timestamptz not null)",
    "create function witness() returns trigger language plpgsql security definer as"
    " $$ begin insert into witnessed values (new.action_id, clock_timestamp()); return null; end $$",
    "create trigger witness after update on deliveries for each row"
    " when (old.state = 'due' and new.state = 'sending') execute function witness()",
)
"""Every claim with the database's own time, whatever the service says of it later."""


@dataclass
class Backlog:
    """The channels' queue of a ring whose business clock is the wall's."""

    ring: Ring
    database: Database
    secret: Credentials

    def contact(self, customer: str, number: int, *, value: float, campaign: str, channel: Channel = "email") -> Contact:
        """The customer's contact of this number, permitted now and for a day. `customer` is also the shop's name for them."""
        now = self.ring.now()
        key = self.secret.identifier_key.encode()
        return Contact(
            action_id=f"{customer}-{number}",
            decision_id=f"decision-{customer}-{number}",
            customer_id=customer,
            campaign=campaign,
            version=1,
            wave="tell",
            run_id=f"run-{customer}-{number}",
            segment="*",
            channel=channel,
            purpose="marketing",
            address=f"{customer}@example.com" if channel == "email" else f"+4477009{int(blind(customer, b'k')[:6], 16) % 100_000:05d}",
            content=Content(text="Renew now", subject="Renew"),
            subjects=(blind(f"customer_id:{customer}", key), blind(INTERNAL + customer, key)),
            permitted=(Span(start=now - timedelta(hours=1), end=now + timedelta(days=1)),),
            decided_at=now,
            not_after=now + timedelta(days=1),
            value=value,
        )

    async def put(self, contacts: Iterable[Contact]) -> None:
        """Queues them, due now."""
        waiting = iter(contacts)
        while some := list(islice(waiting, AT_ONCE)):
            now = self.ring.now()
            async with self.database.transaction() as connection:
                await store.insert(connection, [queue(contact, now) for contact in some], now, PARTITIONS)

    def unsubscribe_url(self, customer: str, action_id: str) -> str:
        """The link in an e-mail to a customer."""
        link = Link(customer_id=customer, channel="email", purpose="marketing", action_id=action_id)
        return f"{self.ring.endpoints['ingest']}/u/{sign(link, self.secret.link_key.encode())}"

    async def ask(self, question: str, **bound: Any) -> list[tuple[Any, ...]]:
        """A question in SQL."""
        async with self.database.transaction() as connection:
            return [tuple(row) for row in (await connection.execute(text(question), bound)).all()]

    async def count(self, condition: str, **bound: Any) -> int:
        """How many deliveries fulfil a condition."""
        return int((await self.ask(f"select count(*) from deliveries where {condition}", **bound))[0][0])

    async def claims(self, campaign: str = "") -> list[tuple[str, datetime]]:
        """Customer and instant of every claim so far, of one campaign or of all."""
        question = "select customer_id, at from witnessed join deliveries using (action_id) where :campaign in ('', campaign) order by at"
        return [(customer, at) for customer, at in await self.ask(question, campaign=campaign)]


@asynccontextmanager
async def backlog_of(ring: Ring) -> AsyncIterator[Backlog]:
    """Opens the channels' database and puts the witness there."""
    dsn = str(ring.endpoints["postgres"]).rsplit("/", 1)[0] + "/channels"
    database = Database(dsn)
    secret = msgspec.json.decode(Folder(ring.state).credentials.read_bytes(), type=Credentials)
    try:
        async with database.transaction() as connection:
            for statement in WITNESS:
                await connection.execute(text(statement))
        yield Backlog(ring, database, secret)
    finally:
        await database.close()
