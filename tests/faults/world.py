"""What the house of the run looks like: campaigns, policy, templates, published over the API as an owner would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from faults.observer.evidence import Rules
from faults.stand import Stand

WINDOW = timedelta(minutes=20)
CAP = 3


def rules_of(run: str) -> Rules:
    """What the observer is told of the campaigns."""
    return Rules(ask=f"{run}-ask", burst=f"{run}-burst", window=WINDOW, cap=CAP)


async def publish(stand: Stand, run: str, rules: Rules) -> None:
    """Campaigns of this run, with templates; caps for bursts only; texts cost nothing, so that everybody may get one."""
    costs = dict.fromkeys(("email", "sms", "call", "visit", "webpush", "onsite", "chat", "letter"), 0)
    policy = {"caps": [{"most": CAP, "per": "24h", "campaign": rules.burst}], "channel_costs": costs}
    await _must(stand, "PUT", "/v1/policy", policy)
    template = {"key": f"{run}-hello", "subject": "Hello", "text": "This is for you."}
    await _must(stand, "PUT", f"/v1/templates/{run}-hello", template)
    for campaign in _campaigns(run, rules):
        await _must(stand, "PUT", f"/v1/campaigns/{campaign['key']}", campaign)
        await _must(stand, "POST", f"/v1/campaigns/{campaign['key']}:publish", None)
    await asyncio.sleep(1.5)


def _campaigns(run: str, rules: Rules) -> Iterator[dict[str, Any]]:
    def mixes(*channels: str) -> list[dict[str, Any]]:
        return [{"segment": "*", "channels": [{"channel": channel, "template": f"{run}-hello"} for channel in channels]}]

    usual = {"owner": "faults", "purpose": "marketing", "goal": {"event": "contract.renewed", "within": "30d", "value": 500_000}}
    answered = {"any": [{"event": "form.submitted"}]}
    waves = [
        {"key": "tell", "window": "20m", "mixes": mixes("sms", "email"), "response": answered},
        {
            "key": "remind",
            "enter": {"after": "tell", "unless": "responded"},
            "window": "20m",
            "mixes": mixes("email"),
            "response": answered,
        },
    ]
    yield {"key": rules.ask, "entry": {"on": {"event": f"{run}.asked"}, "key": "ask"}, "waves": waves, **usual}
    yield {
        "key": rules.burst,
        "entry": {"on": {"event": f"{run}.burst"}, "key": "n"},
        "waves": [waves[0] | {"mixes": mixes("email")}],
        **usual,
    }


async def _must(stand: Stand, method: str, path: str, body: Any) -> None:
    for _ in range(20):
        if await stand.api("orchestrator", method, path, body) is not None:
            return
        await asyncio.sleep(0.5)
    raise RuntimeError(f"{method} {path} is refused")
