"""Looking up at the provider what nobody is sure of, on the real PostgreSQL: only what can be about nothing else counts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from channel_contacts import a_contact
from channels_place import PARTITIONS, Place
from fastapi import FastAPI
from nextwave_channels.adapters.twilio import Account
from nextwave_channels.callbacks import look_up
from nextwave_channels.callbacks.inbox import Inbox
from nextwave_channels.http_port import NotSentError, Reply
from nextwave_contracts.actions import Content
from nextwave_contracts.wire import encode
from nextwave_runtime import problem
from nextwave_runtime.auth import Key, KeyFile, Keyring, hash_secret

ACCOUNT = Account(url="https://api.example/", sid="AC1", token="t", callbacks_url="https://channels.example")
OPERATOR = {"authorization": "Bearer operator"}


def a_text(sid: str, body: str = "Hello Ann", status: str = "delivered", direction: str = "outbound-api") -> dict[str, Any]:
    return {"sid": sid, "status": status, "body": body, "direction": direction, "to": "+14155550100", "error_code": None}


@dataclass
class Api:
    """The provider's API: what it lists, or how it fails."""

    texts: list[dict[str, Any]] = field(default_factory=list)
    more: str | None = None
    status: int = 200
    reached: bool = True
    asked: list[str] = field(default_factory=list)

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        assert headers == {"authorization": "Basic QUMxOnQ="}
        self.asked.append(url)
        if not self.reached:
            raise NotSentError("ConnectError")
        path = urlsplit(url).path
        if path.endswith("/Messages.json"):
            return Reply(status=self.status, body=json.dumps({"messages": self.texts, "next_page_uri": self.more}).encode())
        one = [text for text in self.texts if path.endswith(f"/{text['sid']}.json")]
        return Reply(status=200, body=json.dumps(one[0]).encode()) if one else Reply(status=404)


@pytest.fixture
def provider() -> Api:
    return Api()


@pytest.fixture
async def client(place: Place, provider: Api, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = tuple(Key(name=role, kind="api", hash=hash_secret(role, "p"), roles=(role,)) for role in ("viewer", "operator"))
    (tmp_path / "keys.json").write_bytes(encode(KeyFile(pepper="p", keys=keys)))
    app = FastAPI()
    problem.install(app)
    inbox = Inbox(database=place.database, clock=place.clock, partitions=PARTITIONS, identifier_key=b"i" * 32)
    app.include_router(look_up.router(inbox, Keyring(tmp_path / "keys.json"), look_up.Twilio(ACCOUNT, provider)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside", headers=OPERATOR) as opened:
        yield opened


async def unknown(place: Place, *actions: str, channel: str = "sms", provider: str = "twilio") -> None:
    contacts = [a_contact(action_id=name, channel=channel, address="+14155550100", content=Content(text="Hello Ann")) for name in actions]
    await place.put(*contacts)
    await place.ask("update deliveries set state = 'unknown', attempt = 1, provider = :provider", provider=provider)


async def ask(client: httpx.AsyncClient, action: str = "a1") -> Any:
    answer = await client.post(f"/v1/deliveries/{action}:look-up")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_the_one_text_of_these_words_to_the_number_settles_it(place: Place, client: httpx.AsyncClient, provider: Api) -> None:
    await unknown(place, "a1")
    provider.texts = [a_text("SM1"), a_text("SM2", body="Something else"), a_text("SM3", direction="inbound")]
    assert await ask(client) == "found"
    assert await place.ask("select state, provider_id from deliveries") == [("delivered", "SM1")]
    (asked,) = provider.asked
    assert parse_qs(urlsplit(asked).query) == {"To": ["+14155550100"], "DateSent>": ["2026-03-01"], "PageSize": ["20"]}
    assert (await client.post("/v1/deliveries/a1:look-up")).status_code == 409


async def test_nothing_there_proves_nothing(place: Place, client: httpx.AsyncClient) -> None:
    await unknown(place, "a1")
    assert await ask(client) == "nothing"
    assert await place.states() == {"a1": "unknown"}


@pytest.mark.parametrize(
    ("texts", "more"),
    [([a_text("SM1"), a_text("SM2")], None), ([a_text("SM1")], "/next"), ([a_text(f"SM{n}", "x") for n in range(20)], None)],
)
async def test_several_that_fit_or_too_many_are_no_evidence(
    place: Place, client: httpx.AsyncClient, provider: Api, texts: list[dict[str, Any]], more: str | None
) -> None:
    await unknown(place, "a1")
    provider.texts, provider.more = texts, more
    assert await ask(client) == "unclear"
    assert await place.states() == {"a1": "unknown"}


async def test_a_text_that_another_delivery_has_or_may_have_is_no_evidence(place: Place, client: httpx.AsyncClient, provider: Api) -> None:
    await unknown(place, "a1", "a2")
    provider.texts = [a_text("SM1")]
    assert await ask(client) == "unclear"
    await place.ask("update deliveries set state = 'delivered', provider_id = 'SM1' where action_id = 'a2'")
    assert await ask(client) == "unclear"
    await place.ask("update deliveries set provider_id = 'SM0' where action_id = 'a2'")
    assert await ask(client) == "found"


async def test_a_sid_is_asked_for_directly_and_a_call_needs_one(place: Place, client: httpx.AsyncClient, provider: Api) -> None:
    await unknown(place, "a1", channel="call")
    answer = await client.post("/v1/deliveries/a1:look-up")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:nextwave:problem:not-askable")
    await place.ask("update deliveries set provider_id = 'CA1'")
    provider.texts = [{"sid": "CA1", "status": "completed", "answered_by": "human"}]
    assert await ask(client) == "found"
    assert await place.states() == {"a1": "answered"}
    assert urlsplit(provider.asked[0]).path == "/2010-04-01/Accounts/AC1/Calls/CA1.json"


@pytest.mark.parametrize(("channel", "went_by"), [("sms", "gateway"), ("call", "dialler"), ("sms", ""), ("call", "")])
async def test_twilio_is_not_asked_about_what_it_never_had(
    place: Place, client: httpx.AsyncClient, provider: Api, channel: str, went_by: str
) -> None:
    await unknown(place, "a1", channel=channel, provider=went_by)
    await place.ask("update deliveries set provider_id = 'SM1'")
    provider.texts = [a_text("SM1")]
    answer = await client.post("/v1/deliveries/a1:look-up")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:nextwave:problem:not-askable")
    assert went_by in answer.json()["detail"]
    assert provider.asked == []


async def test_a_provider_that_is_away_settles_nothing(place: Place, client: httpx.AsyncClient, provider: Api) -> None:
    await unknown(place, "a1")
    for provider.status, provider.reached in ((500, True), (200, False)):
        answer = await client.post("/v1/deliveries/a1:look-up")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:nextwave:problem:unavailable")
    assert await place.states() == {"a1": "unknown"}


async def test_only_operators_ask_and_only_about_what_is_there(place: Place, client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/deliveries/a1:look-up")).status_code == 404
    for role, status in (("viewer", 403), ("nobody", 401)):
        assert (await client.post("/v1/deliveries/a1:look-up", headers={"authorization": f"Bearer {role}"})).status_code == status
