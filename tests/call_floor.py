"""Call lists over HTTP as tests use them: calls, those who pull and report them, and operations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from channel_contacts import NOON, a_contact
from channels_place import PARTITIONS, PATIENT_SECONDS, Place
from fastapi import FastAPI
from nextwave_channels import stopping
from nextwave_channels.call_lists import routes
from nextwave_channels.call_lists.limits import Limits
from nextwave_channels.call_lists.release import Release
from nextwave_channels.call_lists.routes import Floor
from nextwave_channels.call_lists.ways import Way, Ways
from nextwave_channels.claiming import Desk
from nextwave_channels.gate import Fact
from nextwave_channels.pacing import Pace
from nextwave_contracts.actions import Contact, Content
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import ROLES, Key, KeyFile, Keyring, hash_secret

WAYS = Ways(others="pull", named={"spoken": "twilio", "pushed": "dialler"})
PACE = Pace(concurrency=1, lease_seconds=300, fresh_seconds=PATIENT_SECONDS)


def call(action_id: str, **changes: Any) -> Contact:
    """To somebody of their own, on the list of renewals."""
    given = {
        "channel": "call",
        "list": "renewals",
        "address": "+4915112345678",
        "content": Content(text="Offer the renewal."),
        "customer_id": f"customer-{action_id}",
        "run_id": f"run-{action_id}",
        "subjects": (f"hash-{action_id}",),
        "address_subject": f"hash-{action_id}",
        "value": 10.0,
    }
    return a_contact(action_id=action_id, **{**given, **changes})


def desk_of(place: Place, way: Way = "pull") -> Desk:
    return replace(place.desk, calls=Release(WAYS, way, Limits(per_number=3, per_person=3)))


@asynccontextmanager
async def open_door(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Call lists over HTTP; every role is a token of the same name, and `colleague` is another agent's."""
    people = {**{role: role for role in ROLES}, "colleague": "agent"}
    keys = tuple(Key(name=name, kind="api", hash=hash_secret(name, "p"), roles=(role,)) for name, role in people.items())
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    app = FastAPI()
    problem.install(app)
    floor = Floor(desk=desk_of(place), ways=WAYS, keyring=Keyring(tmp_path / "keys.json"), fresh_seconds=PATIENT_SECONDS)
    app.include_router(routes.router(floor))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as opened:
        yield opened


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {role}"}


async def pull(client: httpx.AsyncClient, limit: int = 10, name: str = "renewals", **more: Any) -> list[dict[str, Any]]:
    answer = await client.post(f"/v1/call-lists/{name}:pull", json={"limit": limit, **more}, headers=bearer("agent"))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def say(client: httpx.AsyncClient, who: str, *reports: dict[str, Any], name: str = "renewals") -> httpx.Response:
    body = {"reports": [{"attempt": 1, **one} for one in reports]}
    return await client.post(f"/v1/call-lists/{name}:report", json=body, headers=bearer(who))


async def report(client: httpx.AsyncClient, entry_id: str, result: str, attempt: int = 1, **more: Any) -> dict[str, Any]:
    answer = await say(client, "agent", {"entry_id": entry_id, "attempt": attempt, "result": result, **more})
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()["recorded"][0]
    return row


async def retractions(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    answer = await client.get("/v1/call-lists/renewals/retractions", headers=bearer("agent"))
    return [(one["entry_id"], one["reason"]) for one in answer.json()["retractions"]]


async def stop(place: Place, subject: str) -> None:
    fact = Fact(subject=subject, kind="opt", stopped=True, at=NOON)
    async with place.database.transaction() as connection:
        await stopping.record_facts(connection, [fact], NOON, PARTITIONS)


async def capacity(client: httpx.AsyncClient, agents: int, name: str = "renewals", **more: Any) -> dict[str, Any]:
    answer = await client.put(f"/v1/capacity/{name}", json={"agents": agents, **more}, headers=bearer("operator"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
