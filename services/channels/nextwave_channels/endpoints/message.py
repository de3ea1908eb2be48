"""What an endpoint of ours gets: one contact as a message by Standard Webhooks 1.0. Pure.

Facts: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from nextwave_contracts.actions import Contact, Content, Purpose, Span

from nextwave_channels.signatures import standard_signature

BODY_MAX = 20_000
"""Bytes of a body: what the specification asks to keep to."""
KEY_BYTES = range(24, 65)
"""What a secret may hold, by the specification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the contacts of a channel go. Each of `secrets` signs: two while one replaces the other."""

    channel: str
    url: str
    secrets: tuple[str, ...]


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """The contact. `permitted` and `not_after` say when it may reach the customer; `cost` is in minor units."""

    action_id: str
    channel: str
    customer_id: str
    address: str
    content: Content
    campaign: str
    version: int
    wave: str
    run_id: str
    purpose: Purpose
    template: str
    permitted: tuple[Span, ...]
    not_after: datetime
    cost: int
    currency: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The body. `timestamp` is when it was decided, so that the same contact always has the same bytes."""

    type: str
    timestamp: datetime
    data: Data


def body_of(contact: Contact) -> bytes:
    """The body, of any length: `contact.letter` and what to do."""
    data = Data(**{name: getattr(contact, name) for name in Data.__struct_fields__})
    return msgspec.json.encode(Message(type=f"contact.{contact.channel}", timestamp=contact.decided_at, data=data))


def headers_of(contact: Contact, body: bytes, secrets: Sequence[str], wall: float) -> dict[str, str]:
    """Id (the same for every try of an action), time of this try (Unix seconds) and a signature by each secret."""
    name, stamp = contact.action_id, str(int(wall))
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{standard_signature(secret, name, stamp, body)}" for secret in secrets),
    }


def secret_fault(secret: str) -> str:
    """Why this is no secret to sign with; empty: it is one."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    return "" if secret.startswith("whsec_") and len(key) in KEY_BYTES else "it must be whsec_ and the base64 of 24 to 64 bytes"
