"""Whatever a customer says stop by, the channels hold it within a second of the 2xx: every door, on the real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from nextwave_channels.intake import Intake
from nextwave_contracts.clock import ClockSetting
from nextwave_contracts.identifiers import INTERNAL, blind
from nextwave_contracts.links import Link, sign
from nextwave_contracts.topics import TOPICS
from nextwave_ingest.app import Followed, create_app
from nextwave_ingest.commit import GroupCommit
from nextwave_ingest.mappings.document import read
from nextwave_ingest.mappings.library import Library, shipped
from nextwave_ingest.mappings.log import MappingLog
from nextwave_ingest.rejected.marks import Marks
from nextwave_ingest.settings import IngestSettings
from nextwave_ingest.sources.telling import Telling
from nextwave_runtime.clock import DatabaseClock, SystemClock
from nextwave_runtime.database import Database
from nextwave_runtime.migrate import upgrade
from nextwave_runtime.processor import Processor
from nextwave_runtime.settings import ProcessorSettings
from sqlalchemy import text
from stack import Stack
from unit.ingest.fakes import IDENTIFIER_KEY, LINK_KEY, WRITE_KEY, basic, write_keys

EFFECTIVE_SECONDS = 1.0
WARM_SECONDS = 60.0
LATEST_SECONDS = 5.0
"""When it is given up, so that a late stop is told with its delay."""
CLOCK = ClockSetting()
CONSENTS = b"""
name: consents
touchpoints:
  - when: {$.said: "yes"}
    type: consent.granted
    id: $.id
    identifiers: {phone: $.phone}
    data: {channel: sms, purpose: all}
  - when: {$.said: "no"}
    type: consent.withdrawn
    id: $.id
    identifiers: {phone: $.phone}
    data: {channel: sms, purpose: all}
  - when: {$.said: complaint}
    type: complaint.opened
    id: $.id
    identifiers: {phone: $.phone}
    data: {reference: $.id}
"""
"""Of a system that tells no times."""
Said = Callable[["Route"], Awaitable[httpx.Response]]


@dataclass
class Route:
    """A customer at a door: posts what they say, and asks the channels' table what holds them."""

    client: httpx.AsyncClient
    database: Database
    number: int

    @property
    def phone(self) -> str:
        return f"+4915112{self.number:06d}"

    @property
    def mail(self) -> str:
        return f"c{self.number}@example.com"

    @property
    def customer_id(self) -> str:
        return f"00000000-0000-0000-0000-{self.number:012d}"

    async def post(self, path: str, content: bytes, media_type: str = "application/json", key: str = WRITE_KEY) -> httpx.Response:
        return await self.client.post(path, content=content, headers={"authorization": basic(key), "content-type": media_type})

    async def event(self, kind: str, data: dict[str, Any], key: str = WRITE_KEY) -> httpx.Response:
        names = [f"phone:{self.phone}", f"email:{self.mail}"]
        event = {"specversion": "1.0", "id": str(uuid4()), "source": "/s", "type": kind, "data": {"identifiers": names, **data}}
        return await self.post("/v1/touchpoints", json.dumps(event).encode(), "application/cloudevents+json", key)

    async def inbound(self, mapping: str, body: Any) -> httpx.Response:
        return await self.post(f"/v1/inbound/shop/{mapping}", json.dumps(body).encode())

    async def facts(self) -> set[tuple[str, str, datetime]]:
        """What stops the customer by any name: kind, channel, since when by the broker's stamp."""
        names = (f"phone:{self.phone}", f"email:{self.mail}", INTERNAL + self.customer_id, f"customer_id:{self.number}")
        subjects = [blind(name, IDENTIFIER_KEY.encode()) for name in names]
        question = text("select kind, channel, at from stops where stopped and subject = any(:subjects)")
        async with self.database.transaction() as connection:
            return {(kind, channel, at) for kind, channel, at in (await connection.execute(question, {"subjects": subjects})).all()}


async def text_by_twilio(route: Route, words: str = "STOP", sid: str = "") -> httpx.Response:
    form = {"MessageSid": sid or str(uuid4()), "From": route.phone, "To": "+4930123456", "Body": words}
    return await route.post("/v1/inbound/shop/twilio-sms", urlencode(form).encode(), "application/x-www-form-urlencoded")


async def provider_s_word(route: Route) -> httpx.Response:
    form = {"MessageSid": str(uuid4()), "From": route.phone, "To": "+4930123456", "Body": "genug", "OptOutType": "STOP"}
    return await route.post("/v1/inbound/shop/twilio-sms", urlencode(form).encode(), "application/x-www-form-urlencoded")


async def reply_by_mail(route: Route) -> httpx.Response:
    raw = f"From: {route.mail}\r\nTo: shop@example.org\r\nSubject: Re: Offer\r\nMessage-ID: <{uuid4()}@x>\r\n\r\nabmelden\r\n> Offer\r\n"
    return await route.post("/v1/inbound/shop/email-mime", raw.encode(), "message/rfc822")


async def chat(route: Route) -> httpx.Response:
    return await route.inbound("chat", {"event": "message", "id": str(uuid4()), "text": "Stop please", "customer": {"email": route.mail}})


async def board(route: Route) -> httpx.Response:
    return await route.inbound("message-board", {"id": str(uuid4()), "text": "unsubscribe", "author": {"email": route.mail}})


async def gateway(route: Route) -> httpx.Response:
    return await route.inbound("sms-gateway", {"id": str(uuid4()), "from": route.phone, "text": "Leave me alone"})


async def segment(route: Route) -> httpx.Response:
    call = {"type": "track", "event": "Unsubscribed", "userId": str(route.number), "messageId": str(uuid4())}
    return await route.post("/v1/track", json.dumps(call).encode())


async def one_click(route: Route) -> httpx.Response:
    link = Link(customer_id=route.customer_id, channel="email", purpose="marketing", action_id="a" * 32)
    path, body = f"/u/{sign(link, LINK_KEY.encode())}", b"List-Unsubscribe=One-Click"
    return await route.client.post(path, content=body, headers={"content-type": "application/x-www-form-urlencoded"})


async def verdict(route: Route) -> httpx.Response:
    """A review's refusal, without the review before it."""
    return await route.event("refusal.reviewed", {"reference": f"sms-{uuid4()}", "refused": True}, "wk_phones")


ROUTES: tuple[tuple[str, Said, tuple[str, str]], ...] = (
    ("text by Twilio", text_by_twilio, ("opt", "sms")),
    ("Twilio's OptOutType", provider_s_word, ("opt", "sms")),
    ("free text", gateway, ("review", "sms")),
    ("reply by mail", reply_by_mail, ("opt", "email")),
    ("chat", chat, ("opt", "chat")),
    ("message board", board, ("opt", "")),
    ("Segment's Unsubscribed", segment, ("opt", "email")),
    ("consent.withdrawn", lambda route: route.event("consent.withdrawn", {"channel": "email"}), ("opt", "email")),
    ("one-click link", one_click, ("opt", "email")),
    ("refusal in a wrap-up", lambda route: route.event("call.wrapped_up", {"refusal": True}), ("opt", "call")),
    ("complaint in a wrap-up", lambda route: route.event("call.wrapped_up", {"complaint": True}), ("complaint", "")),
    ("verdict of a review", verdict, ("opt", "sms")),
)


@pytest.fixture
async def door(stack: Stack, tmp_path: Path) -> AsyncIterator[Callable[[int], Route]]:
    """Ingest before the real log, and the channels' intake behind it; ready once a first stop has come through."""
    await stack.create_topics([topic.name for topic in TOPICS])
    dsn = await stack.create_database("channels")
    await asyncio.to_thread(upgrade, "nextwave_channels.migrations", dsn)
    database = Database(dsn)
    clock = DatabaseClock(CLOCK, database.wall_seconds)
    await clock.set()
    keys = write_keys(tmp_path)
    shared: dict[str, Any] = {"kafka": stack.bootstrap, "keys_file": keys, "identifier_key": IDENTIFIER_KEY}
    committer = GroupCommit(stack.bootstrap, linger_seconds=0.001, timeout_seconds=5.0, pending_bytes_max=64_000_000)
    mappings, telling = MappingLog(committer, Library([*shipped(), read(CONSENTS)])), Telling(committer, "test")
    app = create_app(IngestSettings(link_key=LINK_KEY, **shared), committer, SystemClock(CLOCK), Followed(mappings, telling, Marks()))
    processor = Processor(
        Intake(frozenset({"email"}), lambda _: None), database=database, settings=ProcessorSettings(postgres=dsn, **shared), clock=clock
    )
    jobs = [asyncio.create_task(committer.run()), asyncio.create_task(processor.run())]
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as client:
            await warm(Route(client, database, 0))
            yield lambda number: Route(client, database, number)
    finally:
        processor.stop()
        jobs[0].cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await committer.close()
        await database.close()


async def warm(route: Route) -> None:
    async with asyncio.timeout(WARM_SECONDS):
        while not await route.facts():
            await route.event("consent.withdrawn", {"channel": "email"})
            await asyncio.sleep(0.2)


async def held_by(route: Route, deadline: float) -> dict[tuple[str, str], datetime]:
    """What holds the customer, as soon as anything does."""
    while True:
        known = {(kind, channel): at for kind, channel, at in await route.facts()}
        if known or time.monotonic() > deadline:
            return known
        await asyncio.sleep(0.01)


async def test_every_way_to_say_stop_holds_at_the_channels_within_a_second_of_its_2xx(door: Callable[[int], Route]) -> None:
    late: dict[str, float] = {}
    for number, (name, say, held) in enumerate(ROUTES, start=1):
        route = door(number)
        before = datetime.now(UTC)
        answer = await say(route)
        answered = time.monotonic()
        assert answer.status_code in {200, 202}, (name, answer.text)
        known = await held_by(route, answered + LATEST_SECONDS)
        took = time.monotonic() - answered
        assert held in known, (name, known)
        assert before.replace(microsecond=0) <= known[held] <= datetime.now(UTC), (name, "is not dated by the broker's stamp")
        if took > EFFECTIVE_SECONDS:
            late[name] = took
    assert late == {}


async def consents(route: Route, said: str, name: str) -> httpx.Response:
    """By the mapping without times; with an empty name without an id, too."""
    return await route.inbound("consents", {"said": said, "phone": route.phone} | ({"id": f"{route.number}-{name}"} if name else {}))


async def twilio(route: Route, said: str, name: str) -> httpx.Response:
    return await text_by_twilio(route, {"yes": "START", "no": "STOP"}[said], f"{route.number}-{name}")


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (twilio, (("yes", "1"), ("no", "2"), ("yes", "1"))),
        (twilio, (("no", "1"), ("yes", "2"), ("no", "3"), ("yes", "2"), ("yes", "2"))),
        (consents, (("yes", "1"), ("no", "2"), ("yes", "1"))),
        (consents, (("yes", ""), ("no", "2"), ("yes", ""))),
        (consents, (("no", ""), ("yes", "2"), ("no", ""))),
        (consents, (("no", ""), ("yes", ""), ("no", ""), ("yes", ""))),
    ],
)
async def test_a_grant_that_is_sent_again_lifts_no_stop_said_after_it_and_no_stop_is_lost_as_a_repetition(
    door: Callable[[int], Route], by: Callable[[Route, str, str], Awaitable[httpx.Response]], words: tuple[tuple[str, str], ...]
) -> None:
    route = door(int(uuid4()) % 1_000_000)  # the log has what the tests before said
    for said, name in words:
        assert (await by(route, said, name)).status_code in {200, 202}
        await asyncio.sleep(1.1)  # what names neither itself nor its time is another stop in each second
    await consents(route, "complaint", str(uuid4()))  # behind all of them, by the same name
    async with asyncio.timeout(LATEST_SECONDS):
        while ("complaint", "") not in (known := {(kind, channel) for kind, channel, _ in await route.facts()}):  # noqa: ASYNC110  (polled)
            await asyncio.sleep(0.01)
    assert ("opt", "sms") in known
