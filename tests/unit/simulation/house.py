"""The owners' side of a simulation: the documents of six campaigns, a policy, and how they change while customers are under way."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec
from nextwave_contracts.actions import Content
from nextwave_contracts.customers import Snapshot
from nextwave_orchestrator.campaigns.compile import compile_campaign
from nextwave_orchestrator.campaigns.definition import Campaign, Policy
from nextwave_orchestrator.catalogue import Catalogue, LiveCampaign
from unit.simulation.history import Rules

KEY = b"k" * 32
LOOK = {"any": [{"event": "page.viewed", "where": {"path": "/renew"}}, {"event": "email.clicked"}]}
VERBS = ("pause", "pause", "publish", "publish", "end", "policy")


def _mix(*channels: str) -> list[dict[str, Any]]:
    return [{"segment": "*", "channels": [{"channel": channel, "template": f"hello-{channel}"} for channel in channels]}]


def _step(channel: str) -> dict[str, str]:
    return {"channel": channel, "template": f"sorry-{channel}"}


def documents() -> dict[str, dict[str, Any]]:
    """The campaigns as first published."""
    carts: list[dict[str, Any]] = [
        {"key": "tell", "window": "24h", "mixes": _mix("sms", "email"), "response": LOOK},
        {"key": "again", "enter": {"after": "tell", "unless": "responded"}, "window": "36h", "mixes": _mix("email"), "response": LOOK},
        {"key": "missed", "enter": {"after": "again", "on": {"missed": _step("sms"), "failed": _step("email")}}, "window": "2d"},
    ]
    quick: list[dict[str, Any]] = [
        {"key": "ask", "window": "6h", "mixes": _mix("sms"), "response": {"event": "form.submitted"}},
        {"key": "mail", "enter": {"after": "ask", "on": {"missed": _step("email"), "refused": _step("email")}}, "window": "1d"},
    ]
    bills: list[dict[str, Any]] = [
        {"key": "bill", "window": "12h", "mixes": _mix("email"), "response": {"event": "order.paid"}},
        {"key": "text", "enter": {"after": "bill", "unless": "responded"}, "window": "1d", "mixes": _mix("sms", "email"), "response": LOOK},
    ]
    return {
        "carts": _campaign("carts", "marketing", {"event": "cart.updated"}, carts, entry={"reentry": {"after": "4d"}}, priority=20),
        "quick": _campaign("quick", "marketing", {"event": "product.viewed"}, quick, holdout=0.2, priority=10),
        "bills": _campaign(
            "bills", "service", {"event": "payment.failed"}, bills, entry={"key": "order_id"}, goal={"event": "order.paid", "within": "3d"}
        ),
        "deals": _campaign(
            "deals", "marketing", {"event": "cart.updated"},
            [{"key": "deal", "window": "30h", "mixes": [{**_mix("email", "sms")[0], "pick": "best"}], "response": LOOK}],
            entry={"reentry": {"after": "2d"}}, goal={"value": 9_000}, lever=1.2,
        ),
        "bands": _campaign(
            "bands",
            "care",
            {"entered": {"churn.band": ["elevated", "high", "lost"]}},
            [{"key": "care", "window": "2d", "mixes": _mix("email", "sms"), "response": LOOK}],
            entry={"reentry": {"after": "6d"}},
        ),
        "sorry": _campaign(
            "sorry", "recovery", {"event": "complaint.opened"}, [{"key": "sorry", "window": "1d", "mixes": _mix("email")}],
            entry={"reentry": {"after": "1d"}},
        ),
    }  # fmt: skip


def _campaign(key: str, purpose: str, on: Mapping[str, Any], waves: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    goal = {"event": "order.placed", "within": "5d", "value": 12_000, **more.pop("goal", {})}
    entry = {"on": dict(on), **more.pop("entry", {})}
    return {"key": key, "owner": "sales", "purpose": purpose, "goal": goal, "entry": entry, "waves": waves, **more}


def policy(chance: Random) -> dict[str, Any]:
    """Caps, rests, holdouts; contacts cost nothing in most houses, so that texts are sent."""
    caps = chance.choice(
        [
            [{"most": 1, "per": "24h"}, {"most": 3, "per": "7d"}],
            [{"most": 2, "per": "3d", "purpose": ""}],
            [{"most": 1, "per": "12h", "channel": "sms", "purpose": ""}, {"most": 2, "per": "2d"}],
            [],
        ]
    )
    return {
        "caps": caps,
        "global_holdout": chance.choice([0.0, 0.1]),
        "channel_costs": chance.choice([{}, {}, {"sms": 8}]),
        "after_refusal": chance.choice(["2d", "60d"]),
        "after_complaint": chance.choice(["1d", "14d"]),
        "after_contact": chance.choice(["1h", "24h"]),
    }


class House:
    """The documents in force, and the catalogue compiled from them. Blind to caps, or to levers, where a simulation is broken so."""

    def __init__(self, chance: Random, broken: str = "") -> None:
        self._chance, self._broken = chance, broken
        self._documents: dict[tuple[str, int], dict[str, Any]] = {(key, 1): written for key, written in documents().items()}
        self._states = dict.fromkeys(documents(), "published")
        self._newest = dict.fromkeys(documents(), 1)
        self._policy = policy(chance)
        self._compiled: dict[tuple[str, int], LiveCampaign] = {}

    @property
    def rules(self) -> Rules:
        """For the checker."""
        live = {key: self._newest[key] for key, state in self._states.items() if state == "published"}
        return Rules(dict(self._documents), live, dict(self._states), copy.deepcopy(self._policy))

    @property
    def catalogue(self) -> Catalogue:
        """For the fold."""
        for named, written in self._documents.items():
            if named not in self._compiled:
                levers: dict[str, Any] = {"lever": 1.0} if self._broken == "levers" else {}
                self._compiled[named] = compile_campaign(msgspec.convert({**written, **levers}, Campaign), named[1], "published")
        caps: dict[str, Any] = {"caps": []} if self._broken == "caps" else {}
        return Catalogue(
            revision=1,
            segments=(),
            campaigns=dict(self._compiled),
            live=tuple(self._compiled[key, version] for key, version in sorted(self.rules.live.items())),
            states=dict(self._states),  # type: ignore[arg-type]  # the verbs below lead to these states only
            ready={},
            policy=msgspec.convert({**self._policy, **caps}, Policy),
            render=_render,
            identifier_key=KEY,
        )

    def change(self, verb: str) -> str:
        """Changes one campaign, or the policy; which campaign, empty for none."""
        key = self._chance.choice(sorted(self._states))
        if verb == "policy":
            self._policy = policy(self._chance)
        if verb == "policy" or self._states[key] == "ended":
            return ""
        if verb == "publish":
            self._publish(key)
        return key if self.turn(key, {"pause": "paused", "end": "ended"}.get(verb, "published")) else ""

    def turn(self, key: str, state: str) -> bool:
        """Brings a campaign that is not ended into a state; whether that changed anything."""
        before = self._states[key]
        if before in {state, "ended"}:
            return False
        self._states[key] = state
        return True

    def state_of(self, key: str) -> str:
        """`published`, `paused` or `ended`."""
        return self._states[key]

    def _publish(self, key: str) -> None:
        version = self._newest[key]
        following = copy.deepcopy(self._documents[key, version])
        following["waves"][0]["window"] = self._chance.choice(["3h", "18h", "30h"])
        self._newest[key] = version + 1
        self._documents[key, version + 1] = following


def _render(template: str, profile: Snapshot, entry: object = None) -> Content:
    return Content(subject=template, text=f"text of {template}")
