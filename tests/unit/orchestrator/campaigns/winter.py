"""The campaign that the tests use: the product's own example, on the channels that exist."""

from __future__ import annotations

from typing import Any

import msgspec
from nextwave_contracts.documents import read_as, read_document
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Rule, Segment, Template
from nextwave_orchestrator.campaigns.lint import Surroundings

WINTER = b"""
key: winter-renewal
owner: retention
purpose: marketing
goal: {event: contract.renewed, within: 30d, value: 12000, currency: EUR}
entry: {on: {entered: {churn.band: [elevated, high]}}, audience: {segment: contract-holders}, reentry: {after: 90d}}
holdout: 0.05
budget: {amount: 500000, currency: EUR}
waves:
  - key: tell
    window: 48h
    mixes:
      - {segment: top-value, channels: [{channel: sms, template: renew-top}, {channel: email, template: renew-top}]}
      - {segment: "*", channels: [{channel: email, template: renew}], pick: first_permitted}
    response: {any: [{event: email.clicked}, {event: page.viewed, where: {path: /renew}}, {event: contract.renewed}]}
  - key: call
    enter: {after: tell, unless: responded}
    window: 5d
    mixes:
      - {segment: "*", channels: [{channel: call, list: renewals, script: renew, attempts: 3, spacing: 4h}]}
    response: {any: [{outcome: answered}, {event: contract.renewed}]}
  - key: missed
    enter: {after: call, on: {missed: {channel: sms, template: sorry}, refused: {channel: email, template: sorry}}}
    window: 7d
"""
RULES: dict[str, Rule] = {
    "top-value": {"field": "value.cell", "op": "eq", "value": "IV"},
    "contract-holders": {"field": "traits.contract", "op": "exists"},
}


def written() -> dict[str, Any]:
    """The campaign as plain values, to be changed."""
    document = read_document(WINTER, "application/yaml")
    assert isinstance(document, dict)
    return document


def winter() -> Campaign:
    """The campaign."""
    return read_as(written(), Campaign)


def around(**changes: Any) -> Surroundings:
    """A world in which the campaign works."""
    world: dict[str, Any] = {
        "segments": {key: Segment(key=key, name=key, owner="sales", rule=rule) for key, rule in RULES.items()},
        "templates": {key: Template(key=key, subject="About you", text="Hello") for key in ("renew", "renew-top", "sorry")},
        "systems": frozenset(),
        "policy": Policy(),
    }
    return Surroundings(**(world | changes))


def put(document: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """The document with `value` at `pointer`; `...` removes what is there."""
    changed = msgspec.json.decode(msgspec.json.encode(document))
    *way, last = [int(s) if s.isdigit() else s for s in pointer.strip("/").split("/")]
    node = changed
    for name in way:
        node = node[name]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    assert isinstance(changed, dict)
    return changed
