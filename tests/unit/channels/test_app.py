"""The service as it is put together: what it shows of itself."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from nextwave_channels.app import build
from nextwave_channels.settings import ChannelsSettings
from nextwave_contracts.wire import encode
from nextwave_runtime.auth import KeyFile

SETTINGS = {
    "POSTGRES": "postgresql://nobody@127.0.0.1:1/none",
    "IDENTIFIER_KEY": "i" * 32,
    "LINK_KEY": "l" * 32,
    "MAIL_CALLBACK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "TWILIO_ACCOUNT": "AC1",
    "TWILIO_TOKEN": "token",
    "SMS_FROM": "+15005550006",
    "CALL_FROM": "+15005550006",
}


async def test_the_reference_is_served_at_docs_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p")))
    for name, value in {**SETTINGS, "KEYS_FILE": str(tmp_path / "keys.json")}.items():
        monkeypatch.setenv(f"NEXTWAVE_{name}", value)
    service = build(ChannelsSettings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://inside") as client:
        page = await client.get("/docs")
        assert (page.status_code, "/openapi.json" in page.text) == (200, True)
        routes = (await client.get("/openapi.json")).json()["paths"]
        assert routes["/v1/deliveries"]["get"]["security"] == [{"HTTPBearer": []}]
        assert {"/v1/tasks", "/v1/tasks/{action_id}:claim", "/v1/endpoints"} <= set(routes)
        assert (await client.get("/v1/deliveries")).status_code == 401
    for close in service.closing:
        await close()
