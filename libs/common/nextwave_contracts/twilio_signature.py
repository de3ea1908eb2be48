"""Whether a request comes from Twilio: its signature over the public URL and the form or body, compared in constant time. Pure.

Facts: https://www.twilio.com/docs/usage/webhooks/webhooks-security and the request validator of Twilio's own packages.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import SplitResult, parse_qsl, urlsplit

FIELDS_MAX = 1_000
"""Fields of a form."""
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


def body_hash(url: str) -> str:
    """The hash that the URL names where the body is no form (`bodySHA256`), or an empty text."""
    return dict(parse_qsl(urlsplit(url).query)).get("bodySHA256", "")


def form_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form in their order. Raises `ValueError`."""
    return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)


def is_signed_by_twilio(url: str, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets signed the request. `url` is the public one; `headers` have lower-case names. Raises `ValueError`."""
    hashed = body_hash(url)
    form = [] if hashed else form_of(body)
    is_whole = not hashed or hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), hashed.lower().encode())
    signature = headers.get("x-twilio-signature", "")
    algorithm = _algorithm(headers.get("x-twilio-webhooks-signature-settings", ""))
    fits = [is_from_twilio(signature, secret, url, form, algorithm=algorithm) for secret in secrets]
    return is_whole and any(fits)


def _algorithm(written: str) -> str:
    """`key=...,algorithm=HMAC_SHA256`; nothing written means the auth token's."""
    said = dict(part.strip().partition("=")[::2] for part in written.split(","))
    return said.get("algorithm", "").upper() or "HMAC_SHA1"


def _spellings(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return _with_host(parts, parts.hostname or ""), _with_host(parts, f"{parts.hostname}:{port}")


def _with_host(parts: SplitResult, host: str) -> str:
    return parts._replace(netloc=host).geturl()
