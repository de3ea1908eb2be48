"""Providers over HTTP: what is shown of them, and how operators close and open one, on the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from channel_contacts import a_contact
from channels_place import PATIENT_SECONDS, Place, Recorder
from fastapi import FastAPI
from nextwave_channels import providers_api
from nextwave_channels.answers import Accepted, Answer, Refused
from nextwave_channels.dispatcher import Bell, Dispatcher
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import Pace
from nextwave_channels.rate import Rate
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret

ANSWERS: list[Answer] = [Refused(detail="503 for +14155550100", permanent=False, down=True), Accepted(), Accepted()]
CLOSED = {"enabled": False, "reason": "billing dispute"}


@pytest.fixture
def outlets(place: Place) -> Outlets:
    pace = Pace(concurrency=4, fresh_seconds=PATIENT_SECONDS)
    answers = list(ANSWERS)
    first = Recorder(answer=lambda _: answers.pop(0) if answers else Accepted())
    limited = Outlet(provider="first", adapter=first, pace=pace, rate=Rate(per_second=0.001, burst=10))
    return Outlets("email", [limited, Outlet(provider="second", adapter=Recorder(), pace=pace)], place.clock, place.steady)


@pytest.fixture
async def client(place: Place, outlets: Outlets, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in ROLES)
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    app = FastAPI()
    problem.install(app)
    board = providers_api.Board(
        database=place.database, clock=place.clock, keyring=Keyring(tmp_path / "keys.json"), outlets={"email": outlets}, replica="r1"
    )
    app.include_router(providers_api.router(board))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as opened:
        yield opened


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {role}"}


async def test_the_list_tells_what_each_provider_does_and_did(place: Place, outlets: Outlets, client: httpx.AsyncClient) -> None:
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(4)))
    dispatcher = Dispatcher(outlets, place.desk, Bell())
    claimed = await dispatcher.claim(9) or []
    for each in claimed[:3]:
        await dispatcher.send(each)
    answer = await client.get("/v1/providers", headers=bearer("viewer"))
    told = answer.json()
    first, second = told["providers"]
    assert (told["replica"], first["channel"], first["provider"], second["provider"]) == ("r1", "email", "first", "second")
    assert (first["enabled"], first["breaker"], first["slots"], first["in_flight"]) == (True, "closed", 4, 1)
    assert (first["rate_per_second"], first["rate_left"], second["rate_left"]) == (0.001, 6, None)
    assert (first["answers"], second["answers"]) == ({"down": 1, "accepted": 2}, {})
    assert first["last_error"] == "503 for •••"
    assert first["last_error_at"] is not None
    assert "4155550100" not in answer.text


async def test_a_closed_provider_gets_nothing_from_any_replica_until_it_is_opened(
    place: Place, outlets: Outlets, client: httpx.AsyncClient
) -> None:
    for provider in ("first", "second"):
        answer = await client.put(f"/v1/providers/email/{provider}", json=CLOSED, headers=bearer("operator"))
        assert answer.status_code == 200
        row = answer.json()
        assert (row["enabled"], row["reason"], row["changed_by"]) == (False, "billing dispute", "operator")
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(10)))
    other = Recorder()
    pace = Pace(concurrency=4, fresh_seconds=PATIENT_SECONDS)
    replicas = [Dispatcher(outlets, place.desk, Bell()), place.dispatcher_over(Outlet(provider="second", adapter=other, pace=pace))]
    assert [await replica.claim(9) for replica in replicas] == [[], []]
    tasks = [asyncio.create_task(replica.run()) for replica in replicas]
    await client.put("/v1/providers/email/second", json={"enabled": True}, headers=bearer("operator"))

    async def all_sent() -> bool:
        return set((await place.states()).values()) == {"accepted"}

    await place.until(all_sent)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await place.ask("select distinct provider from deliveries") == [("second",)]


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_everybody_with_a_token_may_look_and_only_operators_may_switch(client: httpx.AsyncClient, role: str | None) -> None:
    headers = bearer(role) if role else {}
    looked = await client.get("/v1/providers", headers=headers)
    switched = await client.put("/v1/providers/email/first", json=CLOSED, headers=headers)
    expected = (401, 401) if role is None else (200, 200 if role == "operator" else 403)
    assert (looked.status_code, switched.status_code) == expected


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("email/nobody", CLOSED, 404, "email has no provider 'nobody'; GET /v1/providers lists them"),
        ("letter/first", CLOSED, 404, "letter has no provider 'first'"),
        ("email/first", {"enabled": False}, 422, "/reason"),
        ("email/first", {"enabled": False, "reason": " "}, 422, "/reason"),
        ("email/first", {"enabled": "perhaps", "reason": "x"}, 422, "/body/enabled"),
        ("email/first", {"enabled": True, "until": "later"}, 422, "/body/until"),
    ],
)
async def test_a_wrong_switch_is_refused_with_what_to_do(
    client: httpx.AsyncClient, path: str, body: object, status: int, says: str
) -> None:
    answer = await client.put(f"/v1/providers/{path}", json=body, headers=bearer("operator"))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert says in answer.text
