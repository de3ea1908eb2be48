"""The service as it is put together: what it shows of itself."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from channel_contacts import NOON, a_contact
from nextwave_channels.app import build
from nextwave_channels.intake import Batch
from nextwave_channels.settings import ChannelsSettings
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.topics import ACTIONS
from nextwave_contracts.wire import encode
from nextwave_runtime.application import Taken
from nextwave_runtime.auth import KeyFile
from nextwave_runtime.service import Service

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
NO_TWILIO = {"TWILIO_ACCOUNT": "", "TWILIO_TOKEN": "", "SMS_FROM": "", "CALL_FROM": ""}


def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]) -> Service:
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p")))
    for name, value in {**SETTINGS, "KEYS_FILE": str(tmp_path / "keys.json"), **changes}.items():
        monkeypatch.setenv(f"NEXTWAVE_{name}", value)
    return build(ChannelsSettings())


@pytest.mark.parametrize(
    ("changes", "served"),
    [
        ({}, {"email", "sms", "call"}),
        ({"CALL_FROM": ""}, {"email", "sms"}),
        ({"SMS_FROM": ""}, {"email", "call"}),
        (NO_TWILIO, {"email"}),
        ({**NO_TWILIO, "CALLS_BY": "pull"}, {"email", "call"}),
        ({**NO_TWILIO, "SMS_GATEWAY_URL": "https://texts.example", "SMS_GATEWAY_FROM": "shop"}, {"email", "sms"}),
    ],
)
async def test_texts_and_calls_are_taken_in_only_where_somebody_carries_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], served: set[str]
) -> None:
    service = built(tmp_path, monkeypatch, changes)
    intake = service.processors[0]._application
    batch = Batch(partition=0, partitions=4, now=NOON, existing=set(), unsent={}, facts={}, campaigns={})
    contacts = [a_contact(action_id=channel, channel=channel) for channel in ("email", "sms", "call", "onsite", "visit")]
    told = [each.message for n, contact in enumerate(contacts) for each in intake.fold(batch, Taken(ACTIONS, 0, n, NOON, contact), NOON)]
    refused = {outcome.action_id: outcome.detail for outcome in told if isinstance(outcome, Outcome)}
    assert refused == {channel: f"no adapter for channel {channel}" for channel in {"email", "sms", "call"} - served}
    for close in service.closing:
        await close()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"TWILIO_TOKEN": ""}, "NEXTWAVE_TWILIO_ACCOUNT and NEXTWAVE_TWILIO_TOKEN go together"),
        ({"TWILIO_ACCOUNT": ""}, "NEXTWAVE_TWILIO_ACCOUNT and NEXTWAVE_TWILIO_TOKEN go together"),
        ({"SMS_FROM": "", "CALL_FROM": ""}, "NEXTWAVE_SMS_FROM or NEXTWAVE_CALL_FROM"),
        ({"SMS_FROM": "", "SMS_GATEWAY_URL": "https://texts.example"}, "NEXTWAVE_SMS_GATEWAY_FROM"),
        ({**NO_TWILIO, "CALL_LISTS": '{"mine": "pull"}'}, "some calls leave by twilio, which is not set up"),
    ],
)
def test_half_of_a_provider_ends_the_start_and_names_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], says: str
) -> None:
    with pytest.raises(SystemExit, match=says):
        built(tmp_path, monkeypatch, changes)


async def test_the_reference_is_served_at_docs_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = built(tmp_path, monkeypatch, {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://inside") as client:
        page = await client.get("/docs")
        assert (page.status_code, "/openapi.json" in page.text) == (200, True)
        routes = (await client.get("/openapi.json")).json()["paths"]
        assert routes["/v1/deliveries"]["get"]["security"] == [{"HTTPBearer": []}]
        assert {"/v1/tasks", "/v1/tasks/{action_id}:claim", "/v1/endpoints"} <= set(routes)
        assert (await client.get("/v1/deliveries")).status_code == 401
    for close in service.closing:
        await close()
