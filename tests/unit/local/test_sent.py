"""What lies in a simulated person's mailbox can be read: by `GET /messages` of the simulator, and by `nextwave sent`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from nextwave_local.command import app
from nextwave_local.simulator import inbox
from nextwave_local.simulator.app import application
from nextwave_local.simulator.dialler_door import Dialler
from nextwave_local.simulator.mail_door import read
from nextwave_local.simulator.world import World
from typer.testing import CliRunner, Result
from unit.local.simulated import DOORS

MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
UNSUBSCRIBE = "http://ingest/u/tok-u-which-is-so-long-that-a-mail-breaks-its-line-somewhere-in-the-middle-of-it"


def mail_to(world: World, address: str, subject: str = "Your quote") -> int:
    """Its size in bytes."""
    text = f"It is ready, Ren=C3=A9: shall we talk? {UNSUBSCRIBE[:40]}=\r\n{UNSUBSCRIBE[40:]}\r\n"
    head = f"X-Nextwave-Action: act-2\r\nFrom: us@example.com\r\nTo: {address}\r\nSubject: {subject}\r\n"
    head += f"List-Unsubscribe: <{UNSUBSCRIBE}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    raw = f"{head}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{text}".encode()
    world.receive(read(raw, address, DOORS.ingest_url), raw)
    return len(raw)


async def messages(client: httpx.AsyncClient, to: str = "") -> list[dict[str, Any]]:
    return list((await client.get("/messages", params={"to": to})).json()["items"])


async def test_a_mail_is_shown_as_its_reader_sees_it_with_its_links(client: httpx.AsyncClient, world: World) -> None:
    mail_to(world, "ann@example.com")
    mail_to(world, "bob@example.com")
    (shown,) = await messages(client, "Ann@Example.com")
    assert (shown["kind"], shown["to"], shown["action_id"]) == ("email", "ann@example.com", "act-2")
    assert shown["links"] == {"unsubscribe": UNSUBSCRIBE}
    head, _, words = shown["content"].partition("\n\n")
    assert head.startswith("From: us@example.com\nTo: ann@example.com\nSubject: Your quote\n")
    assert head.endswith(f"List-Unsubscribe: <{UNSUBSCRIBE}>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click")
    assert words.startswith("It is ready, René: shall we")
    assert UNSUBSCRIBE in shown["content"]
    assert [one["to"] for one in await messages(client)] == ["bob@example.com", "ann@example.com"]


async def test_texts_and_calls_are_shown_by_their_words(client: httpx.AsyncClient) -> None:
    number = {"To": "+14155550111", "From": "+14155550100"}
    await client.post(MESSAGES, data={**number, "Body": "hi & bye http://ingest/r/tok-r"})
    await client.post(MESSAGES.replace("Messages", "Calls"), data={**number, "Twiml": "<Response><Say>hi</Say></Response>"})
    wanted = {"to": "+14155550111", "from": "Nextwave", "text": "ho", "reference": "act-1"}
    await client.post("/sms/v1/messages", json=wanted, headers={"authorization": "Bearer token"}, auth=httpx.Auth())
    found = await messages(client, "+14155550111")
    assert [one["content"] for one in found] == ["ho", "<Response><Say>hi</Say></Response>", "hi & bye http://ingest/r/tok-r"]
    assert found[2]["links"] == {"click": "http://ingest/r/tok-r"}


async def test_what_its_provider_did_not_take_came_to_nobody(client: httpx.AsyncClient, world: World) -> None:
    await client.put("/faults", json={"faults": [{"kind": "refuse"}]})
    mail_to(world, "ann@example.com")
    assert await messages(client) == []


async def test_the_oldest_go_when_there_are_too_many_bytes(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = mail_to(world, "ann@example.com", "1")
    monkeypatch.setattr(inbox, "KEPT_BYTES_MAX", 3 * size)
    for number in "2345":
        mail_to(world, "ann@example.com", number)
    assert [one["content"].splitlines()[2] for one in await messages(client)] == ["Subject: 5", "Subject: 4", "Subject: 3"]


@pytest.fixture
def stack(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder whose endpoints lead to the simulated world."""
    (tmp_path / "endpoints.json").write_text(json.dumps({"simulator": "http://simulator"}))

    def get(url: str, **request: Any) -> httpx.Response:
        async def got() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(application(world, Dialler(world)))) as client:
                return await client.get(url, **request)

        return asyncio.run(got())

    monkeypatch.setattr(httpx, "get", get)
    return tmp_path


def say(state: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["sent", "--state", str(state), *arguments])


def test_the_command_prints_the_newest_message_to_somebody_with_its_links_first(stack: Path, world: World) -> None:
    for subject in ("First", "Second"):
        mail_to(world, "ann@example.com", subject)
    mail_to(world, "bob@example.com")
    said = say(stack, "--to", "ann@example.com")
    first, link, empty, *content = said.output.splitlines()
    assert (said.exit_code, first[:24], link.split(), empty) == (0, "email to ann@example.com", ["unsubscribe", UNSUBSCRIBE], "")
    assert content[2] == "Subject: Second"
    assert "bob@example.com" in say(stack).output


def test_who_got_nothing_and_where_nothing_runs_is_told_in_one_sentence(stack: Path, tmp_path: Path) -> None:
    for said, word in (
        (say(stack, "--to", "ann@example.com"), "nothing was sent to ann@"),
        (say(tmp_path / "none"), "no stack is running"),
    ):
        assert (said.exit_code, said.output.count("\n"), word in said.output) == (1, 1, True)
