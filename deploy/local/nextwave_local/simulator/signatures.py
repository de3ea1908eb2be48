"""How providers sign what they post to us, from their published descriptions."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping


def twilio(url: str, form: Mapping[str, str], token: str) -> str:
    """`X-Twilio-Signature`: HMAC-SHA1 over the exact URL and the fields sorted by name, each name directly before its value."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def standard_webhook(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """`webhook-signature` of Standard Webhooks: `v1,` and HMAC-SHA256 over id, timestamp and body. `secret` is `whsec_...`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
