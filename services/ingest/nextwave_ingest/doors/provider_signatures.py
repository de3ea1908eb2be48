"""Whether a request comes from the provider that its mapping names: signatures over the raw body, compared in constant time. PURE."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nextwave_contracts.sendgrid_signature import is_signed_by_sendgrid, read_key
from nextwave_contracts.twilio_signature import is_signed_by_twilio

from nextwave_ingest.mappings.document import Scheme, Signature

_HMAC_SCHEMES: Mapping[Scheme, Signature] = {
    "shopify": Signature("hmac", header="X-Shopify-Hmac-Sha256", encoding="base64"),
    "woocommerce": Signature("hmac", header="X-WC-Webhook-Signature", encoding="base64"),
}
"""Providers whose signature is a keyed hash in a header of their own."""

PROVIDERS = (Signature("twilio"), Signature("sendgrid"), *map(Signature, _HMAC_SCHEMES))
"""The schemes that need no more than their name."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was sent. `url` is the public one, `headers` have lower-case names, `wall` is Unix seconds."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    wall: float


def is_signed(request: Signed, signature: Signature, secrets: Sequence[str]) -> bool:
    """Whether one of the source's secrets signed it: for `sendgrid` these are its public keys, for the others what both sides know."""
    match signature.scheme:
        case "twilio":
            return _by_twilio(request, secrets)
        case "sendgrid":
            return _by_sendgrid(request, secrets)
        case scheme:
            return _by_hash(request, _HMAC_SCHEMES.get(scheme, signature), secrets)


def _by_twilio(request: Signed, secrets: Sequence[str]) -> bool:
    try:
        return is_signed_by_twilio(request.url, request.headers, request.body, secrets)
    except ValueError:  # the body is no form
        return False


def _by_sendgrid(request: Signed, secrets: Sequence[str]) -> bool:
    try:
        keys = [read_key(secret) for secret in secrets]
    except ValueError:
        return False
    return is_signed_by_sendgrid(request.headers, request.body, keys, request.wall)


def _by_hash(request: Signed, signature: Signature, secrets: Sequence[str]) -> bool:
    given = request.headers.get(signature.header.lower(), "").strip()
    if not given.startswith(signature.prefix):
        return False
    hashed = given.removeprefix(signature.prefix)
    said = (hashed.lower() if signature.encoding == "hex" else hashed).encode()
    expected = [_hash(request.body, signature, secret) for secret in secrets]
    return any([hmac.compare_digest(said, one) for one in expected])  # noqa: C419  (all are compared, in constant time)


def _hash(body: bytes, signature: Signature, secret: str) -> bytes:
    digest = hmac.new(secret.encode(), body, signature.algorithm).digest()
    return digest.hex().encode() if signature.encoding == "hex" else base64.b64encode(digest)
