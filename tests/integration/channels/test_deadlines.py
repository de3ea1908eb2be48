"""A route's deadline is what its provider really has: real servers that answer late, adapters as the settings make them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from channel_contacts import a_contact
from channels_place import HandClock
from nextwave_channels.answers import Accepted, Adapter, Uncertain
from nextwave_channels.endpoints.setup import make_endpoints
from nextwave_channels.providers import make_adapters
from nextwave_channels.settings import ChannelsSettings
from nextwave_contracts.wire import encode
from nextwave_runtime.auth import KeyFile
from nextwave_runtime.database import Database

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
ROUTES = (("sms", "twilio"), ("call", "twilio"), ("sms", "gateway"), ("letter", "endpoint"))
CONTACT = a_contact(channel="sms", address="+14155550100")


@asynccontextmanager
async def late(seconds: float) -> AsyncIterator[int]:
    """A server that answers each request so late; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(seconds)
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def adapters(monkeypatch: pytest.MonkeyPatch, keys: Path, port: int, deadline_seconds: float) -> list[Adapter]:
    url = f"http://127.0.0.1:{port}"
    routes = ",".join(f'{{"channel":"{c}","provider":"{p}","deadline_seconds":{deadline_seconds}}}' for c, p in ROUTES)
    given = {
        "POSTGRES": NOWHERE,
        "KEYS_FILE": str(keys),
        "IDENTIFIER_KEY": "i" * 32,
        "LINK_KEY": "l" * 32,
        "MAIL_CALLBACK_SECRET": SECRET,
        "TWILIO_URL": url,
        "TWILIO_ACCOUNT": "AC1",
        "TWILIO_TOKEN": "token",
        "SMS_FROM": "+15005550006",
        "CALL_FROM": "+15005550006",
        "SMS_GATEWAY_URL": url,
        "LETTER_URL": url,
        "LETTER_SECRETS": SECRET,
        "ENDPOINTS_LOOPBACK": "true",
        "ROUTES": f"[{routes}]",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"NEXTWAVE_{name}", value)
    settings = ChannelsSettings()
    made = {**make_adapters(settings, HandClock()), **make_endpoints(settings, Database(NOWHERE), HandClock()).adapters}
    return [made[route] for route in ROUTES]


@pytest.mark.parametrize(("answers_after", "deadline_seconds", "expected"), [(10.3, 30.0, Accepted), (4.0, 1.0, Uncertain)])
async def test_a_provider_has_the_time_that_its_route_gives_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers_after: float, deadline_seconds: float, expected: type[Accepted | Uncertain]
) -> None:
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p")))
    async with late(answers_after) as port:
        made = adapters(monkeypatch, tmp_path / "keys.json", port, deadline_seconds)
        answers = await asyncio.gather(*(adapter.send(CONTACT) for adapter in made))
        await asyncio.gather(*(adapter.close() for adapter in made))
    assert [type(answer) for answer in answers] == [expected] * len(ROUTES)
