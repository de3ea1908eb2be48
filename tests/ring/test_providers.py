"""Every provider that the local stack plays is met by the running channels: the second one for texts, the dialler, the house's systems."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_contracts.actions import Channel, Contact
from nextwave_local.layout import DIALLER_LIST, ENDPOINTS
from ring.backlog import Backlog, backlog_of
from ring.ring import Ring, start, stop, until

Seen = list[tuple[str, str]]


@pytest.fixture(scope="module")
async def backlog(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Backlog]:
    """Channels alone, on the wall's clock; the dialler calls at once."""
    state: Path = tmp_path_factory.mktemp("providers") / "state"
    start(state, *(option for service in ("scoring", "orchestrator") for option in ("--replicas", f"{service}=0")))
    try:
        async with httpx.AsyncClient(timeout=30) as client, backlog_of(Ring(state, client)) as empty:
            await steer(empty, "dialler", {"after_seconds": 0})
            yield empty
    finally:
        stop(state)


async def steer(backlog: Backlog, what: str, how: dict[str, Any]) -> None:
    answer = await backlog.ring.client.put(f"{backlog.ring.endpoints['simulator']}/{what}", json=how)
    assert answer.status_code == 200, answer.text


async def put(backlog: Backlog, name: str, channel: Channel, **changes: Any) -> Contact:
    made = backlog.contact(name, 0, value=1.0, campaign="providers", channel=channel)
    contact = msgspec.structs.replace(made, **changes)
    await backlog.put([contact])
    return contact


async def seen(backlog: Backlog, contact: Contact) -> Seen:
    """Who was asked to carry the contact out, in this order, and what came of it."""
    return [(row["provider"], row["answer"]) for row in await backlog.ring.ledger() if row["action_id"] == contact.action_id]


async def ended(backlog: Backlog, contact: Contact, state: str) -> dict[str, Any]:
    """The delivery as soon as it is in this state."""

    async def there() -> Any:
        found = await backlog.ring.api("channels", "GET", f"/v1/deliveries/{contact.action_id}")
        return found if found["state"] == state else None

    return dict(await until(there, f"{contact.action_id} is {state}"))


async def test_a_text_goes_by_the_first_provider_while_all_is_well(backlog: Backlog) -> None:
    text = await put(backlog, "well", "sms")
    assert (await ended(backlog, text, "delivered"))["provider"] == "twilio"
    assert await seen(backlog, text) == [("twilio", "accepted")]


async def test_a_text_that_the_first_provider_puts_off_goes_by_the_second_and_comes_back_as_delivered(backlog: Backlog) -> None:
    await steer(backlog, "faults", {"faults": [{"kind": "throttle", "provider": "twilio"}]})
    try:
        text = await put(backlog, "putoff", "sms")
        assert (await ended(backlog, text, "delivered"))["provider"] == "gateway"
    finally:
        await steer(backlog, "faults", {})
    assert await seen(backlog, text) == [("twilio", "throttle"), ("httpsms", "accepted")]


async def test_only_calls_of_the_diallers_list_are_pushed_to_it(backlog: Backlog) -> None:
    pushed, spoken = await put(backlog, "pushed", "call", list=DIALLER_LIST), await put(backlog, "spoken", "call", list="renewals")
    await ended(backlog, pushed, "no_answer")
    await ended(backlog, spoken, "no_answer")
    assert await seen(backlog, pushed) == [("dialler", "accepted"), ("dialler", "called")]
    assert await seen(backlog, spoken) == [("twilio", "accepted")]


@pytest.mark.parametrize("channel", ENDPOINTS)
async def test_what_the_houses_own_systems_carry_out_reaches_them(backlog: Backlog, channel: Channel) -> None:
    contact = await put(backlog, f"by-{channel}", channel)
    await ended(backlog, contact, "accepted")
    assert await seen(backlog, contact) == [("webhook", "accepted")]
    came = await backlog.ring.client.get(f"{backlog.ring.endpoints['simulator']}/webhooks/{channel}")
    assert [(one["id"], one["wrong"]) for one in came.json()["received"]] == [(contact.action_id, "")]
