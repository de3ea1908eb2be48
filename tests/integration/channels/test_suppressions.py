"""The suppression list over HTTP, on the real PostgreSQL: reasons, dead addresses, files in and out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from channel_contacts import NOON, a_contact
from channels_place import PARTITIONS, Place, Recorder
from fastapi import FastAPI
from nextwave_channels import api, facts, store
from nextwave_channels.gate import Fact
from nextwave_channels.office import Office
from nextwave_channels.suppressions import routes
from nextwave_contracts.identifiers import blind
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret

KEY = b"i" * 32
ANN = blind("email:ann@example.com", KEY)
CSV = {"content-type": "text/csv; charset=utf-8"}
JSONL = {"content-type": "application/jsonl"}


@pytest.fixture
async def client(place: Place, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in ("viewer", "operator", "editor"))
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    app = FastAPI()
    problem.install(app)
    keyring = Keyring(tmp_path / "keys.json")
    office = Office(database=place.database, clock=place.clock, keyring=keyring, identifier_key=KEY, partitions=PARTITIONS)
    app.include_router(api.router(office))
    headers = {"authorization": "Bearer operator"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside", headers=headers) as opened:
        yield opened


async def post(client: httpx.AsyncClient, body: str | bytes, headers: dict[str, str] = CSV) -> httpx.Response:
    return await client.post("/v1/suppressions:import", content=body, headers=headers)


async def test_a_reason_is_kept_and_shown(client: httpx.AsyncClient) -> None:
    scope = {"identifier": "email:ann@example.com", "channel": "email", "reason": "asked on the phone"}
    await client.put("/v1/suppressions", json=scope)
    (row,) = (await client.get("/v1/suppressions")).json()["suppressions"]
    assert (row["subject"], row["kind"], row["source"], row["reason"]) == (ANN, "consent", "api:operator", "asked on the phone")


async def test_a_closed_address_is_opened_again_by_an_operator_and_not_by_consent(place: Place, client: httpx.AsyncClient) -> None:
    await client.put(
        "/v1/suppressions", json={"identifier": "email:ann@example.com", "kind": "address", "channel": "email", "reason": "bounced"}
    )
    place.clock.instant = NOON + timedelta(minutes=1)
    await client.delete("/v1/suppressions", params={"identifier": "email:ann@example.com"})
    await place.put(a_contact(action_id="a1", subjects=(ANN,), address_subject=ANN))
    await place.dispatcher(Recorder()).claim(5)
    assert await place.states() == {"a1": "withdrawn"}
    await client.delete("/v1/suppressions", params={"identifier": "email:ann@example.com", "kind": "address", "channel": "email"})
    await place.put(a_contact(action_id="a2", subjects=(ANN,), address_subject=ANN))
    await place.dispatcher(Recorder()).claim(5)
    assert (await place.states())["a2"] == "sending"
    wrong = await client.put("/v1/suppressions", json={"identifier": "customer_id:7", "kind": "address"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/identifier")


async def test_a_file_is_taken_in_line_by_line_and_wrong_lines_are_told(place: Place, client: httpx.AsyncClient) -> None:
    await place.put(a_contact(subjects=(ANN,)))
    text = (
        "identifier,channel,reason\r\nemail:Ann@Example.com,email,imported\r\nnonsense,email,\r\n"
        "phone:+14155550100,telepathy,\r\nphone:+14155550100,sms,\r\n"
    )
    answer = (await post(client, "\ufeff" + text)).json()
    assert [fault.pop("line") for fault in answer["faults"]] == [3, 4]
    assert {name: answer[name] for name in ("lines", "changed", "unchanged", "withdrawn", "faulty")} == {
        "lines": 4, "changed": 2, "unchanged": 0, "withdrawn": 1, "faulty": 2,
    }  # fmt: skip
    assert await place.states() == {"action-1": "withdrawn"}
    kept = await place.ask("select cast(s as text) from stops s")
    assert not any("example" in row or "4155550100" in row for (row,) in kept)


async def test_the_same_file_twice_changes_nothing_and_an_old_line_lifts_nothing(place: Place, client: httpx.AsyncClient) -> None:
    stop = json.dumps({"identifier": "email:ann@example.com", "channel": "email"})
    assert (await post(client, stop, JSONL)).json()["changed"] == 1
    place.clock.instant = NOON + timedelta(hours=1)
    again = (await post(client, f"{stop}\n{stop}\n", JSONL)).json()
    assert (again["changed"], again["unchanged"]) == (0, 2)
    lifted = json.dumps({"identifier": "email:ann@example.com", "channel": "email", "stopped": False, "at": "2026-03-01T12:00:00Z"})
    assert (await post(client, lifted, JSONL)).json()["changed"] == 0
    assert await place.ask("select stopped, at from stops") == [(True, NOON)]


async def test_a_stop_in_a_file_counts_after_a_lifting_that_is_being_written_when_the_file_comes(
    place: Place, client: httpx.AsyncClient
) -> None:
    stop = json.dumps({"identifier": "email:ann@example.com", "channel": "email"})
    await post(client, stop, JSONL)
    lifted = Fact(subject=ANN, kind="opt", channel="email", stopped=False, at=NOON + timedelta(minutes=1), source="shop")
    place.clock.instant = NOON + timedelta(minutes=2)
    async with place.database.transaction() as connection:
        await store.enter_stop(connection)
        await facts.put(connection, [lifted])
        importing = asyncio.create_task(post(client, stop, JSONL))
        await asyncio.wait({importing, asyncio.create_task(place.until(place.waits))}, return_when=asyncio.FIRST_COMPLETED)
    assert (await importing).json()["changed"] == 1
    assert await place.ask("select stopped, at from stops") == [(True, NOON + timedelta(minutes=2))]


async def test_what_is_exported_can_be_imported_elsewhere(place: Place, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "EXPORT_ROWS", 7)
    lines = "".join(json.dumps({"identifier": f"email:p{n}@example.com", "channel": "email", "reason": f"={n}"}) + "\n" for n in range(20))
    dead = json.dumps({"identifier": "phone:+14155550100", "kind": "address", "channel": "sms"})
    assert (await post(client, lines + dead, JSONL)).json()["changed"] == 21
    before = await place.ask("select subject, kind, channel, purpose, stopped, at, reason from stops order by 1, 2")
    for form, headers in (("csv", CSV), ("jsonl", JSONL)):
        exported = await client.get("/v1/suppressions:export", params={"format": form})
        assert f"suppressions.{form}" in exported.headers["content-disposition"]
        assert "example.com" not in exported.text
        await place.ask("delete from stops")
        assert (await post(client, exported.content, headers)).json()["changed"] == 21
        assert await place.ask("select subject, kind, channel, purpose, stopped, at, reason from stops order by 1, 2") == before
    assert "\n," not in exported.text


async def test_pages_go_through_consent_and_addresses_once(client: httpx.AsyncClient) -> None:
    for n in range(4):
        for kind in ("consent", "address"):
            await client.put("/v1/suppressions", json={"identifier": f"email:p{n}@example.com", "kind": kind, "channel": "email"})
    found, cursor = [], None
    while True:
        page = (await client.get("/v1/suppressions", params={"limit": "3", **({"cursor": cursor} if cursor else {})})).json()
        found += [(row["subject"], row["kind"]) for row in page["suppressions"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 8
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"identifier\n\xff", CSV, 422),
        (b"nothing\nx", CSV, 422),
        (b"identifier\n" + b"email:a@b.de\n" * 20_001, CSV, 422),
        (b"x" * 4_194_305, CSV, 413),
        (b"{}", {"content-type": "application/json"}, 415),
        (b"{}", {"content-type": "application/jsonl", "authorization": "Bearer viewer"}, 403),
        (b"{}", {"content-type": "application/jsonl", "authorization": "Bearer nobody"}, 401),
    ],
)
async def test_a_file_that_is_none_or_too_large_is_refused_whole(
    place: Place, client: httpx.AsyncClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await post(client, body, headers)
    assert answer.status_code == status, answer.text
    assert await place.ask("select * from stops") == []


async def test_who_may_not_see_suppressions_may_not_export_them(client: httpx.AsyncClient) -> None:
    for role, status in (("editor", 403), ("nobody", 401), ("viewer", 200)):
        assert (await client.get("/v1/suppressions:export", headers={"authorization": f"Bearer {role}"})).status_code == status
