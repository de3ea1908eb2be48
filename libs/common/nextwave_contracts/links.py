"""Tokens of the links in messages we sent: unsubscribe, click, open. Signed, without expiry, readable by nobody else."""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec


class InvalidTokenError(ValueError):
    """The token was not made with our key, or was cut or changed on its way."""


class Link(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a link knows: which contact it stood in, and (clicks) where it leads."""

    customer_id: str
    channel: str
    purpose: str
    action_id: str
    target: str = ""


def sign(link: Link, key: bytes) -> str:
    """URL-safe token: the link's JSON and a 128-bit HMAC-SHA256 over it, base64url without padding."""
    body = msgspec.json.encode(link)
    return base64.urlsafe_b64encode(_mac(body, key) + body).rstrip(b"=").decode()


def verify(token: str, *keys: bytes) -> Link:
    """The link of a token that one of the keys made: links live for years, and outlive the key. Raises `InvalidTokenError`."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        mac, body = raw[:16], raw[16:]
        if not any(hmac.compare_digest(mac, _mac(body, key)) for key in keys):
            raise InvalidTokenError("the link was changed or cut")
        return msgspec.json.decode(body, type=Link)
    except (ValueError, msgspec.MsgspecError) as wrong:
        raise InvalidTokenError("this is no link of ours") from wrong


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"link:" + body, hashlib.sha256).digest()[:16]
