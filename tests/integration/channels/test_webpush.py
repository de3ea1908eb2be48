"""Web push from the page's subscription to the browser: what a push service takes, what the browser reads, and what its answers mean."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from channel_contacts import NOON, a_contact
from channels_place import Place
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, Request, Response
from nextwave_channels.adapters.webpush import TTL_MAX, WebPush, topic_of
from nextwave_channels.answers import Accepted, Refused
from nextwave_channels.http_port import Http
from nextwave_channels.outlets import Outlet
from nextwave_channels.pacing import Pace
from nextwave_channels.pinning import Pinning
from nextwave_channels.push.routes import Counter, router
from nextwave_channels.push.sealing import TEXT_MAX, sender
from nextwave_channels.push.subscriptions import Subscriptions, watch_subscriptions
from nextwave_contracts.actions import Contact, Content
from nextwave_contracts.wire import encode
from nextwave_local.simulator.browser import Keys, padless, sender_of
from nextwave_runtime import problem
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret
from open_pages import serving
from unit.ingest.fakes import WRITE_KEY

OURS = sender("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "mailto:push@shop.example")
SUBSCRIPTIONS_MAX = 10
BROWSER = Keys(ec.derive_private_key(7, ec.SECP256R1()), b"a" * 16)


@dataclass
class PushService:
    """A push endpoint on this machine; it answers as told."""

    url: str = ""
    status: int = 201
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def read(self) -> dict[str, Any]:
        """The last message, as the browser's service worker gets it."""
        told: dict[str, Any] = json.loads(BROWSER.open(self.came[-1][1]))
        return told


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    app, push = FastAPI(), PushService()

    @app.post("/send/{_name}")
    async def take(_name: str, request: Request) -> Response:
        push.came.append((dict(request.headers), await request.body()))
        return Response(status_code=push.status)

    async with serving(app) as url:
        push.url = url
        yield push


@pytest.fixture
async def pages(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    key = Key(name="shop", kind="write", hash=hash_secret(WRITE_KEY, "p"))
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=(key,))))
    counter = Counter(
        subscriptions=Subscriptions(place.database),
        sender=OURS,
        subscriptions_max=SUBSCRIPTIONS_MAX,
        desk=place.desk,
        loopback=True,
        keyring=Keyring(tmp_path / "keys.json"),
        identifier_key=b"i" * 32,
    )
    app = FastAPI()
    problem.install(app)
    app.include_router(router(counter))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as client:
        yield client


@pytest.fixture
async def adapter(place: Place) -> AsyncIterator[WebPush]:
    opened = WebPush(Http(transport=Pinning(loopback=True)), Subscriptions(place.database), OURS, time.time, wall_of)
    yield opened
    await opened.close()


def wall_of(business: datetime) -> float:
    """Business time stands at noon."""
    return time.time() + (business - NOON).total_seconds()


def subscription(endpoint: str, **changes: Any) -> str:
    keys = {"p256dh": padless(BROWSER.public), "auth": padless(BROWSER.auth)}
    return json.dumps({"write_key": WRITE_KEY, "endpoint": endpoint, "expirationTime": None, "keys": keys, **changes})


async def subscribed(pages: httpx.AsyncClient, service: PushService) -> str:
    answer = await pages.post("/v1/webpush/subscriptions", content=subscription(f"{service.url}/send/abc"))
    assert answer.status_code == 201, answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    return str(answer.json()["token"])


def to(token: str, **changes: Any) -> Contact:
    content = Content(text="Renew at https://shop.example/renew", subject="Your contract", language="en")
    known = {"channel": "webpush", "address": token, "content": content}
    return a_contact(**{**known, **changes})


async def test_what_was_sent_is_read_by_the_browser_alone_and_says_who_sends(
    pages: httpx.AsyncClient, service: PushService, adapter: WebPush
) -> None:
    token = await subscribed(pages, service)
    assert await adapter.send(to(token, not_after=NOON + timedelta(hours=1))) == Accepted()
    headers, body = service.came[0]
    assert service.read() == {
        "action_id": "action-1",
        "token": token,
        "title": "Your contract",
        "body": "Renew at https://shop.example/renew",
        "url": "https://shop.example/renew",
        "language": "en",
    }
    assert b"Renew" not in body
    assert sender_of(headers["authorization"], service.url, time.time()) == OURS.public
    assert (await pages.get("/v1/webpush/key", params={"write_key": WRITE_KEY})).json() == {"key": OURS.public}
    assert (headers["content-encoding"], headers["urgency"], headers["topic"]) == ("aes128gcm", "normal", topic_of("run-1"))
    assert len(headers["topic"]) == 32
    assert 3590 <= int(headers["ttl"]) <= 3600


async def test_it_is_kept_no_longer_than_it_may_arrive_or_push_services_keep_it(
    pages: httpx.AsyncClient, service: PushService, adapter: WebPush
) -> None:
    token = await subscribed(pages, service)
    for not_after in (NOON - timedelta(hours=1), NOON + timedelta(days=400)):
        await adapter.send(to(token, not_after=not_after, purpose="service"))
    assert [headers["ttl"] for headers, _ in service.came] == ["0", str(TTL_MAX)]
    assert {headers["urgency"] for headers, _ in service.came} == {"high"}


async def test_a_browser_that_is_gone_bounces_and_is_forgotten(
    place: Place, pages: httpx.AsyncClient, service: PushService, adapter: WebPush
) -> None:
    token = await subscribed(pages, service)
    service.status = 410
    await place.put(to(token), to(token, action_id="action-2"))
    outlet = Outlet(provider="vapid", adapter=adapter, pace=Pace(concurrency=1, fresh_seconds=10.0))
    dispatcher = place.dispatcher_over(outlet, channel="webpush")
    for _ in range(2):
        for claimed in await dispatcher.claim(1) or []:
            await dispatcher.send(claimed)
    assert await place.states() == {"action-1": "bounced", "action-2": "bounced"}
    assert [(o.kind, o.reach) for o in await place.outcomes()] == [("bounced", "missed")] * 2
    assert len(service.came) == 1, "the second one was not even tried"
    assert await place.ask("select count(*) from push_subscriptions") == [(0,)]


async def test_the_service_worker_reports_what_it_showed_and_that_it_was_clicked(
    place: Place, pages: httpx.AsyncClient, service: PushService, adapter: WebPush
) -> None:
    token = await subscribed(pages, service)
    await place.put(to(token))
    reports = [("shown", {"token": token}), ("clicked", {"token": "stolen"}), ("sold", {"token": token})]
    assert [await said(pages, *report) for report in reports] == [404, 404, 422]
    dispatcher = place.dispatcher_over(
        Outlet(provider="vapid", adapter=adapter, pace=Pace(concurrency=1, fresh_seconds=10.0)), channel="webpush"
    )
    for claimed in await dispatcher.claim(1) or []:
        await dispatcher.send(claimed)
    assert [await said(pages, *report) for report in reports] == [204, 404, 422]
    assert [await said(pages, "clicked", {"token": service.read()["token"]}) for _ in range(2)] == [204, 204]
    assert [o.kind for o in await place.outcomes() if o.kind != "accepted"] == ["clicked", "delivered"]


async def said(pages: httpx.AsyncClient, what: str, body: dict[str, str]) -> int:
    return (await pages.post(f"/v1/webpush/action-1:{what}", content=json.dumps(body))).status_code


async def test_who_is_not_reached_was_surely_not_sent_to(pages: httpx.AsyncClient, adapter: WebPush) -> None:
    gone = PushService(url="http://127.0.0.1:1")
    answer = await adapter.send(to(await subscribed(pages, gone)))
    assert isinstance(answer, Refused)
    assert (answer.permanent, answer.down) == (False, True)


async def test_a_message_that_does_not_fit_is_never_sent(pages: httpx.AsyncClient, service: PushService, adapter: WebPush) -> None:
    answer = await adapter.send(to(await subscribed(pages, service), content=Content(text="x" * TEXT_MAX)))
    assert isinstance(answer, Refused)
    assert (answer.permanent, service.came) == (True, [])


async def test_a_subscription_brought_again_keeps_its_token_and_takes_the_newer_keys(
    place: Place, pages: httpx.AsyncClient, service: PushService, adapter: WebPush
) -> None:
    token = await subscribed(pages, service)
    newer = Keys(ec.derive_private_key(8, ec.SECP256R1()), b"b" * 16)
    keys = {"p256dh": padless(newer.public), "auth": padless(newer.auth)}
    again = await pages.post("/v1/webpush/subscriptions", content=subscription(f"{service.url}/send/abc", keys=keys))
    assert again.json() == {"token": token}
    assert token.startswith("wp_")
    assert service.url not in token
    await adapter.send(to(token))
    assert json.loads(newer.open(service.came[0][1]))["action_id"] == "action-1"
    assert await place.ask("select source from push_subscriptions") == [("shop",)]


async def test_a_subscription_that_is_none_is_refused_with_the_field(pages: httpx.AsyncClient) -> None:
    for body, status, pointer in (
        (subscription("https://push.example/1", write_key="wk_nobody"), 401, None),
        (subscription("gopher://push.example/1"), 422, "/endpoint"),
        (subscription("https://push.example/1", keys={"p256dh": "AAAA", "auth": "AAAA"}), 422, "/keys"),
        (subscription("https://push.example/1", keys={"auth": "AAAA"}), 422, "/keys"),
        ('{"write_key": 1}', 422, "/write_key"),
        ("no json", 400, None),
        ("x" * 10_000, 413, None),
    ):
        answer = await pages.post("/v1/webpush/subscriptions", content=body)
        assert answer.status_code == status, answer.text
        assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer


async def test_an_address_inside_is_refused_as_a_subscription_however_it_is_written(pages: httpx.AsyncClient) -> None:
    for host in ("10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "167772161", "0xa.1", "10.1", "012.0.0.1", "10.0.0.1."):
        answer = await pages.post("/v1/webpush/subscriptions", content=subscription(f"https://{host}/1"))
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/endpoint"), host


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (["10.0.0.1"], (True, True)),
        (["93.184.216.34", "10.0.0.1"], (True, True)),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), (True, True)),
        (socket.gaierror(socket.EAI_AGAIN, "no name server answers"), (False, False)),
        (TimeoutError(), (False, False)),
    ],
)
async def test_a_name_that_leads_inside_or_nowhere_is_a_dead_address_and_one_that_nobody_can_resolve_now_is_not(
    place: Place, pages: httpx.AsyncClient, found: list[str] | OSError, answer: tuple[bool, bool]
) -> None:
    async def resolving(_host: str, _port: int) -> list[str]:
        if isinstance(found, OSError):
            raise found
        return found

    token = await subscribed(pages, PushService(url="https://push.example"))
    adapter = WebPush(Http(transport=Pinning(resolving=resolving)), Subscriptions(place.database), OURS, time.time, wall_of)
    said = await adapter.send(to(token))
    assert isinstance(said, Refused)
    assert (said.permanent, said.bounced) == answer
    assert await place.ask("select count(*) from push_subscriptions") == [(0 if said.bounced else 1,)]


async def test_a_source_has_so_many_subscriptions_and_no_more_until_old_ones_are_gone(place: Place, pages: httpx.AsyncClient) -> None:
    def endpoint(number: int) -> str:
        return subscription(f"https://push.example/{number}")

    answers = [await pages.post("/v1/webpush/subscriptions", content=endpoint(number)) for number in range(SUBSCRIPTIONS_MAX + 1)]
    assert [answer.status_code for answer in answers] == [201] * SUBSCRIPTIONS_MAX + [429]
    assert answers[-1].headers["retry-after"] == "3600"
    assert "NEXTWAVE_WEBPUSH_SUBSCRIPTIONS_MAX" in answers[-1].json()["detail"]
    assert (await pages.post("/v1/webpush/subscriptions", content=endpoint(0))).status_code == 201, "it is no new one"
    await place.ask("update push_subscriptions set source = 'another' where token = (select min(token) from push_subscriptions)")
    assert (await pages.post("/v1/webpush/subscriptions", content=endpoint(11))).status_code == 201


async def test_what_is_neither_brought_again_nor_sent_to_for_half_a_year_is_dropped(
    place: Place, pages: httpx.AsyncClient, service: PushService, adapter: WebPush
) -> None:
    sent_to = await subscribed(pages, service)
    for name in ("brought-again", "forgotten", "young"):
        await pages.post("/v1/webpush/subscriptions", content=subscription(f"https://push.example/{name}"))
    await place.ask("update push_subscriptions set renewed_at = now() - interval '181 days' where endpoint not like '%young'")
    await pages.post("/v1/webpush/subscriptions", content=subscription("https://push.example/brought-again"))
    assert await adapter.send(to(sent_to)) == Accepted()
    watching = asyncio.create_task(watch_subscriptions(Subscriptions(place.database)))
    await place.until(lambda: dropped(place))
    watching.cancel()
    kept = await place.ask("select endpoint from push_subscriptions")
    assert {endpoint.rpartition("/")[2] for (endpoint,) in kept} == {"abc", "brought-again", "young"}


async def dropped(place: Place) -> bool:
    return await place.ask("select count(*) from push_subscriptions where endpoint like '%forgotten'") == [(0,)]
