"""Whether a webhook comes from SendGrid: ECDSA over the time and the raw body, the same for events and for parsed mail. Pure.

Facts: its pages on the security features of the Event Webhook and of Inbound Parse.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from nextwave_contracts.signed_lately import signed_lately


def read_key(written: str) -> EllipticCurvePublicKey:
    """A verification key, base64 of DER. Raises `ValueError`."""
    key = load_der_public_key(b64decode(written))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("SendGrid's verification key is an elliptic curve key")  # noqa: TRY004  (a wrong value of a setting)
    return key


def is_signed_by_sendgrid(headers: Mapping[str, str], body: bytes, keys: Iterable[EllipticCurvePublicKey], wall: float) -> bool:
    """Whether it was signed by one of the keys, lately. `headers` have lower-case names, `wall` is Unix seconds."""
    stamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
    signature = headers.get("x-twilio-email-event-webhook-signature", "")
    return signed_lately(stamp, wall) and any(_holds(key, signature, stamp.encode() + body) for key in keys)


def _holds(key: EllipticCurvePublicKey, signature: str, signed: bytes) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
