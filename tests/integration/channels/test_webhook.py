"""Webhooks to real receivers: verified by other people's libraries, never to an address inside, and disabled when they fail for days."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
import svix
from channel_contacts import a_contact
from channels_place import PATIENT_SECONDS, Place
from fastapi import FastAPI
from integration.channels.receiving import Receiver, certified, receiving
from nextwave_channels import claiming
from nextwave_channels.adapters.webhook import Webhook
from nextwave_channels.answers import Accepted, Refused, Uncertain
from nextwave_channels.endpoints import routes
from nextwave_channels.endpoints.health import Endpoints
from nextwave_channels.endpoints.message import BODY_MAX, Endpoint
from nextwave_channels.http_port import Http
from nextwave_channels.pacing import Pace
from nextwave_channels.pinning import Pinning, Resolve
from nextwave_channels.store import Selection
from nextwave_contracts.actions import Content
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret
from sqlalchemy import text
from standardwebhooks import Webhook as Standard

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
LETTER = a_contact(channel="letter", address="customer:customer-1", content=Content(text="Dear Änn", subject="Sorry"))


class Quiet:
    """A `Health` that only listens."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def disabled(self, channel: str) -> str:
        del channel
        return ""

    def succeeded(self, channel: str) -> None:
        self.heard.append(f"{channel} took it")

    def failed(self, channel: str, why: str, *, gone: bool) -> None:
        self.heard.append(f"{channel} failed: {why}{' for good' if gone else ''}")


def answering(*answers: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A name server that answers so, one after the other, and the names it was asked."""
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


def letters(url: str, transport: Pinning | None = None, health: Quiet | Endpoints | None = None, answer_seconds: float = 3.0) -> Webhook:
    http = Http(answer_seconds=answer_seconds, transport=transport or Pinning(loopback=True))
    return Webhook(http, Endpoint(channel="letter", url=url, secrets=(OLD, NEW)), health or Quiet(), time.time)


@pytest.mark.parametrize("secret", [OLD, NEW])
@pytest.mark.parametrize("judge", [Standard, svix.Webhook])
async def test_what_arrives_is_verified_by_both_libraries_with_either_secret(judge: type[Standard | svix.Webhook], secret: str) -> None:
    async with receiving(Receiver(204)) as receiver:
        adapter = letters(f"http://127.0.0.1:{receiver.port}/in")
        assert await adapter.send(LETTER) == Accepted()
        await adapter.close()
    headers, body = receiver.got[0]
    judge(secret).verify(body, headers)
    said = json.loads(body)
    assert (said["type"], said["data"]["action_id"], said["data"]["content"]["text"]) == (
        "contact.letter",
        "action-1",
        "Dear Änn",
    )
    assert headers["webhook-id"] == "action-1"
    assert len(body) < BODY_MAX


async def test_a_redirect_is_a_failure_and_is_not_followed() -> None:
    async with receiving(Receiver(200)) as inside, receiving(Receiver(307)) as receiver:
        receiver.headers = (f"location: http://127.0.0.1:{inside.port}/",)
        answer = await letters(f"http://127.0.0.1:{receiver.port}").send(LETTER)
    assert answer == Refused(detail="307", permanent=True)
    assert inside.connections == 0


async def test_a_message_that_was_taken_without_an_answer_is_unknown_and_never_sent_again(place: Place) -> None:
    pace = Pace(concurrency=1, fresh_seconds=PATIENT_SECONDS)
    await place.put(LETTER)
    async with receiving(Receiver(None)) as receiver:
        adapter = letters(f"http://127.0.0.1:{receiver.port}")
        for claimed in await claiming.claim(place.desk, Selection("letter"), 5, pace) or []:
            answer = await adapter.send(claimed.contact)
            assert isinstance(answer, Uncertain)
            await claiming.record(place.desk, claimed.delivery, answer)
    assert await claiming.claim(place.desk, Selection("letter"), 5, pace) is None
    assert (len(receiver.got), await place.states()) == (1, {"action-1": "unknown"})


async def test_nobody_listening_and_a_message_too_long_are_sure_refusals() -> None:
    answer = await letters("http://127.0.0.1:1").send(LETTER)
    assert isinstance(answer, Refused)
    assert (answer.permanent, answer.down) == (False, True)
    async with receiving(Receiver()) as receiver:
        health = Quiet()
        long = a_contact(channel="letter", content=Content(text="x" * BODY_MAX))
        answer = await letters(f"http://127.0.0.1:{receiver.port}", health=health).send(long)
    assert isinstance(answer, Refused)
    assert (answer.permanent, receiver.connections, health.heard) == (True, 0, []), "the endpoint is not at fault"


async def test_the_connection_goes_to_the_address_that_was_checked_and_tls_holds_for_the_name(tmp_path: Path) -> None:
    server, client = certified("hooks.example", tmp_path)
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    resolve, asked = answering(["127.0.0.1"], ["10.0.0.1"])
    async with receiving(Receiver(), server) as receiver:
        adapter = letters(f"https://hooks.example:{receiver.port}/in", Pinning(loopback=True, resolving=resolve, tls=client))
        assert await adapter.send(LETTER) == Accepted()
        assert (asked, names) == (["hooks.example"], ["hooks.example"])
        assert receiver.got[0][0]["host"] == f"hooks.example:{receiver.port}"
        rebound = await adapter.send(LETTER)
    assert isinstance(rebound, Refused)
    assert (rebound.permanent, "none that may be called" in rebound.detail, receiver.connections) == (False, True, 1)


async def test_a_certificate_for_another_name_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    server, client = certified("other.example", tmp_path)
    resolve, _ = answering(["127.0.0.1"])
    async with receiving(Receiver(), server) as receiver:
        adapter = letters(f"https://hooks.example:{receiver.port}/in", Pinning(loopback=True, resolving=resolve, tls=client))
        assert isinstance(await adapter.send(LETTER), Refused)
    assert receiver.got == []


INSIDE = (
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "localhost",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::]",
)


@pytest.mark.parametrize("host", INSIDE)
async def test_no_spelling_of_this_machine_is_connected_to(host: str, tmp_path: Path) -> None:
    server, client = certified("localhost", tmp_path)
    async with receiving(Receiver(), server) as receiver:
        answer = await letters(f"https://{host}:{receiver.port}/", Pinning(tls=client)).send(LETTER)
    assert isinstance(answer, Refused)
    assert (answer.down, receiver.connections) == (True, 0)


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["93.184.216.34", "169.254.169.254"], ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"], ["fe80::1%lo"], []]
)
async def test_a_name_that_leads_inside_is_not_connected_to(addresses: list[str]) -> None:
    resolve, _ = answering(addresses)
    answer = await letters("https://hooks.example/", Pinning(resolving=resolve)).send(LETTER)
    assert isinstance(answer, Refused)
    assert "none that may be called" in answer.detail


async def test_an_endpoint_that_fails_for_days_is_disabled_until_it_is_enabled(place: Place) -> None:
    health = Endpoints(place.database)
    async with receiving(Receiver(500)) as receiver:
        adapter = letters(f"http://127.0.0.1:{receiver.port}", health=health)
        await adapter.send(LETTER)
        await health.look()
        receiver.status = 200
        await adapter.send(LETTER)
        await health.look()
        assert await place.ask("select failing_since, disabled_at from endpoints") == [(None, None)], "one success, and it never failed"
        receiver.status = 500
        await adapter.send(LETTER)
        await health.look()
        await place.ask("update endpoints set failing_since = clock_timestamp() - interval '4 days 23 hours'")
        assert isinstance(await adapter.send(LETTER), Uncertain)
        await health.look()
        await place.ask("update endpoints set failing_since = clock_timestamp() - interval '5 days 1 minute'")
        assert isinstance(await adapter.send(LETTER), Uncertain)
        await health.look()
        receiver.status, so_far = 200, receiver.connections
        assert await adapter.send(LETTER) == Refused(detail="the endpoint is disabled: 500", permanent=True)
        assert receiver.connections == so_far


async def test_operators_see_endpoints_without_their_secrets_and_enable_one_that_said_it_is_gone(place: Place, tmp_path: Path) -> None:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in ROLES)
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    async with receiving(Receiver(410)) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/in/token-7"
        health = Endpoints(place.database)
        adapter = letters(url, health=health)
        app = FastAPI()
        problem.install(app)
        set_up = (Endpoint(channel="letter", url=url, secrets=(OLD, NEW)),)
        app.include_router(routes.router(place.database, Keyring(tmp_path / "keys.json"), set_up))
        assert await adapter.send(LETTER) == Refused(detail="410", permanent=True)
        receiver.status = 200
        assert await adapter.send(LETTER) == Accepted(), "it was under way when the other one was answered"
        await health.look()
        assert await adapter.send(LETTER) == Refused(detail="the endpoint is disabled: 410", permanent=True)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as client:
            listed = await client.get("/v1/endpoints", headers={"authorization": "Bearer viewer"})
            (row,) = listed.json()["endpoints"]
            assert (row["channel"], row["host"], row["secrets"], row["last_failure"]) == ("letter", "127.0.0.1", 2, "410")
            assert row["disabled_at"]
            assert not any(part in json.dumps(listed.json()) for part in ("token-7", OLD, NEW))
            for role in (*ROLES, "stranger"):
                answer = await client.post("/v1/endpoints/letter:enable", headers={"authorization": f"Bearer {role}"})
                assert answer.status_code == {"operator": 200, "stranger": 401}.get(role, 403)
            assert (await client.get("/v1/endpoints")).status_code == 401
            unknown = await client.post("/v1/endpoints/fax:enable", headers={"authorization": "Bearer operator"})
            assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:nextwave:problem:not-found")
        await health.look()
        assert await adapter.send(LETTER) == Accepted()


async def test_an_answer_waits_for_nobody_who_keeps_the_memory_of_endpoints_and_is_noted_later(place: Place) -> None:
    health = Endpoints(place.database)
    await place.ask("insert into endpoints (channel, failing_since) values ('letter', clock_timestamp())")
    async with receiving(Receiver()) as receiver, place.database.transaction() as connection:
        await connection.execute(text("lock table endpoints in access exclusive mode"))
        async with asyncio.timeout(PATIENT_SECONDS):
            assert await letters(f"http://127.0.0.1:{receiver.port}", health=health).send(LETTER) == Accepted()
    await health.look()
    assert await place.ask("select failing_since from endpoints") == [(None,)]


async def test_what_was_heard_while_the_database_was_away_is_noted_when_it_is_back(place: Place) -> None:
    health = Endpoints(place.database)
    await place.ask("alter table endpoints rename to away")
    health.failed("letter", "500", gone=False)
    await health.look()
    health.failed("letter", "410", gone=True)
    health.succeeded("letter")
    await health.look()
    await place.ask("alter table away rename to endpoints")
    assert health.disabled("letter") == ""
    await health.look()
    assert health.disabled("letter") == "410"
