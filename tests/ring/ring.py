"""The whole ring as a user runs it (`nextwave up`), and what a user does with it: post, configure, ask; kill and stall for tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from nextwave_contracts.clock import ClockSetting
from nextwave_contracts.places import ORIGIN_HEADER
from nextwave_local.folder import Folder
from stack import ReadRecord, read_all

SPEED = 120
"""Two business minutes a second: the shortest window of an e-mail wave, a quarter of an hour, closes in 7.5 seconds."""
ORIGIN = "2026-03-03T09:05:00Z"
"""A Tuesday morning: contact hours are open in UTC for the five minutes that the tests take."""

BORN_AT_A_DOOR = {"touchpoints", "rejected"}
"""Topics with messages of ingest, which have no origin mark."""


@dataclass
class Ring:
    """A running stack."""

    state: Path
    client: httpx.AsyncClient

    @property
    def endpoints(self) -> dict[str, Any]:
        """`endpoints.json`, as it is now."""
        return dict(json.loads((self.state / "endpoints.json").read_text()))

    @property
    def clock(self) -> ClockSetting:
        """The stack's business clock."""
        return Folder(self.state).layout().clock

    def now(self) -> datetime:
        """Business time."""
        return self.clock.at(time.time())

    async def track(self, customer: str, event: str, properties: dict[str, Any] | None = None, message_id: str = "") -> str:
        """A Segment track call; its message id."""
        body = {"userId": customer, "event": event, "properties": properties or {}, "messageId": message_id or str(uuid4())}
        return await self._segment("track", body)

    async def sign_up(
        self, customer: str, *, channels: tuple[str, ...] = ("email", "sms", "call"), number: int = 0, zone: str = "Etc/UTC"
    ) -> None:
        """Contact points and consents."""
        traits = {"email": f"{customer}@example.com", "phone": f"+447700900{number:03d}", "timezone": zone, "address": {"country": "GB"}}
        await self._segment("identify", {"userId": customer, "traits": traits, "messageId": str(uuid4())})
        for channel in channels:
            await self.event("consent.granted", customer, {"channel": channel, "purpose": "marketing"})

    async def event(self, kind: str, customer: str, data: dict[str, Any]) -> str:
        """A CloudEvent about a customer; its id."""
        name = str(uuid4())
        body = {
            "specversion": "1.0",
            "id": name,
            "source": "test",
            "type": kind,
            "data": {"identifiers": [f"customer_id:{customer}"], **data},
        }
        headers = {"content-type": "application/cloudevents+json", "x-write-key": self.endpoints["write_key"]}
        answer = await self.client.post(self.endpoints["ingest"] + "/v1/touchpoints", content=json.dumps(body), headers=headers)
        assert answer.status_code < 300, answer.text
        return name

    async def api(self, service: str, method: str, path: str, body: Any = None, *, ok: bool = True) -> Any:
        """A call of a service's API with the operator's token."""
        headers = {"authorization": f"Bearer {self.endpoints['api_token']}"}
        answer = await self.client.request(method, self.endpoints[service] + path, json=body, headers=headers)
        assert not ok or answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def publish(self, campaign: dict[str, Any]) -> None:
        """Writes and publishes a campaign; its templates are made as needed."""
        for key in {s["template"] for s in _steps(campaign) if s.get("template")}:
            await self.api("orchestrator", "PUT", f"/v1/templates/{key}", {"key": key, "subject": "Hello", "text": f"This is {key}."})
        await self.api("orchestrator", "PUT", f"/v1/campaigns/{campaign['key']}", campaign)
        await self.api("orchestrator", "POST", f"/v1/campaigns/{campaign['key']}:publish")
        await asyncio.sleep(1.2)

    async def customer(self, name: str) -> dict[str, Any]:
        """The customer with this `customer_id`, as soon as scoring knows it."""

        async def known() -> Any:
            found = await self.api("scoring", "GET", f"/v1/customers?identifier=customer_id:{name}", ok=False)
            return found if "customer_id" in found else None

        return dict(await until(known, f"customer {name}"))

    def topic(self, short: str) -> list[dict[str, Any]]:
        """Every message on a topic, as a reader takes it in: a place published again counts once, strangers' bytes not at all."""
        once: dict[bytes, bytes] = {}
        for r in self.records(short):
            if ORIGIN_HEADER in r.headers or (short in BORN_AT_A_DOOR and r.value.startswith(b'{"')):
                once[r.headers.get(ORIGIN_HEADER, f"{r.partition}/{r.offset}".encode())] = r.value
        return [json.loads(value) for value in once.values()]

    def records(self, short: str) -> list[ReadRecord]:
        """Every record on a topic."""
        return read_all(self.endpoints["kafka"], f"nextwave.{short}.v1")

    async def ledger(self) -> list[dict[str, Any]]:
        """What the simulated providers received."""
        answer = await self.client.get(self.endpoints["simulator"] + "/ledger")
        return [json.loads(line) for line in answer.text.splitlines() if line]

    async def people(self, channels: dict[str, dict[str, float]]) -> None:
        """How people behave from now on, by channel (probabilities); on all others they do nothing."""
        answer = await self.client.put(self.endpoints["simulator"] + "/behaviour", json={"channels": channels})
        assert answer.status_code < 300, answer.text

    def send_signal(self, replica: str, number: signal.Signals) -> int:
        """Signals a replica; its process id."""
        pid = int(self.endpoints["pids"][replica])
        os.kill(pid, number)
        return pid

    async def _segment(self, kind: str, body: dict[str, Any]) -> str:
        answer = await self.client.post(f"{self.endpoints['ingest']}/v1/{kind}", json=body, auth=(self.endpoints["write_key"], ""))
        assert answer.status_code == 200, answer.text
        return str(body["messageId"])


async def until(found: Callable[[], Any], what: str, seconds: float = 60, *, every: float = 0.2) -> Any:
    """Asks again until the answer is truthy; awaits it when it must be. `every` so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        await asyncio.sleep(every)
    raise AssertionError(f"did not come within {seconds} s: {what}")


def start(state: Path, *options: str) -> None:
    """`nextwave up`."""
    command = [sys.executable, "-m", "nextwave_local", "up", "--state", str(state), "--ports", "auto", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def stop(state: Path) -> None:
    """`nextwave down`."""
    subprocess.run([sys.executable, "-m", "nextwave_local", "down", "--state", str(state)], check=False, timeout=120, capture_output=True)


def campaign(key: str, event: str, **changes: Any) -> dict[str, Any]:
    """A campaign that an event starts: an e-mail first, another one to whoever did not respond in the window."""
    first = [{"segment": "*", "channels": [{"channel": "email", "template": f"{key}-tell"}]}]
    second = [{"segment": "*", "channels": [{"channel": "email", "template": f"{key}-remind"}]}]
    return {
        "key": key,
        "owner": "tests",
        "purpose": "marketing",
        "goal": {"event": "contract.renewed", "within": "30d", "value": 500_000},
        "entry": {"on": {"event": event}},
        "waves": [
            {"key": "tell", "window": "20m", "mixes": first, "response": {"any": [{"event": "page.viewed"}]}},
            {"key": "remind", "enter": {"after": "tell", "unless": "responded"}, "window": "1h", "mixes": second},
        ],
        **changes,
    }


def _steps(written: dict[str, Any]) -> list[dict[str, Any]]:
    mixes = [step for wave in written["waves"] for mix in wave.get("mixes", []) for step in mix["channels"]]
    branches = [step for wave in written["waves"] for step in wave.get("enter", {}).get("on", {}).values()]
    return [*mixes, *branches]
