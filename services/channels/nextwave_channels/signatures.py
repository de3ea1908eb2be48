"""Standard Webhooks: whether a callback comes from who it says, and how we sign what we send; compared in constant time. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

TOLERANCE_SECONDS = 300.0


def is_standard_webhook(headers: dict[str, str], body: bytes, secret: str, wall_now: float) -> bool:
    """Standard Webhooks 1.0: any `v1,` signature over `{id}.{timestamp}.{body}` holds, and it was sent within five minutes.

    `headers` has lower-case names; `secret` is `whsec_` and base64.
    """
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not name or not (stamp.isascii() and stamp.isdigit()) or abs(wall_now - float(stamp[:15])) > TOLERANCE_SECONDS:
        return False
    expected = standard_signature(secret, name, stamp, body).encode()
    given = [s.partition(",")[2].encode() for s in headers.get("webhook-signature", "").split()[:10] if s.startswith("v1,")]
    return any([hmac.compare_digest(signature, expected) for signature in given])  # noqa: C419  (all are compared, in constant time)


def standard_signature(secret: str, name: str, stamp: str, body: bytes) -> str:
    """base64(HMAC-SHA256) of `{name}.{stamp}.{body}`. Raises `ValueError` for a secret that is no `whsec_`."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as wrong:
        raise ValueError("a webhook secret is 'whsec_' and base64") from wrong
    return base64.b64encode(hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
