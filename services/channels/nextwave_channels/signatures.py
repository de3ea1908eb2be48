"""Whether a callback comes from who it says: provider signatures over what was sent, compared in constant time. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

TOLERANCE_SECONDS = 300.0


TWILIO_HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
"""By the algorithm that a callback names; the auth token signs with the first, shared keys with either."""


def twilio_signature(token: str, url: str, form: Iterable[tuple[str, str]], *, algorithm: str = "HMAC_SHA1") -> str:
    """base64(HMAC(token, url + each field's name and value)): fields sorted, a value that came twice counts once."""
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), TWILIO_HASHES[algorithm]).digest()).decode()


def is_from_twilio(signature: str, token: str, url: str, form: Iterable[tuple[str, str]], *, algorithm: str = "HMAC_SHA1") -> bool:
    """Twilio signs the URL with or without its port, so both spellings of the same URL count. An unknown algorithm never holds."""
    if algorithm not in TWILIO_HASHES:
        return False
    fields = list(form)
    given = signature.encode()
    spellings = [twilio_signature(token, spelling, fields, algorithm=algorithm).encode() for spelling in _spellings(url)]
    return any([hmac.compare_digest(given, expected) for expected in spellings])  # noqa: C419  (all are compared, in constant time)


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


def _spellings(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return _with_host(parts, parts.hostname or ""), _with_host(parts, f"{parts.hostname}:{port}")


def _with_host(parts: SplitResult, host: str) -> str:
    return parts._replace(netloc=host).geturl()
