"""What a browser and its push service do with a push: RFC 8291 decryption with the subscription's keys, RFC 8292 check of the sender."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT_BYTES, KEY_BYTES, TAG_BYTES = 16, 65, 16
HEADER_BYTES = SALT_BYTES + 4 + 1 + KEY_BYTES
LIFE_SECONDS_MAX = 24 * 3600


class NotOpenedError(ValueError):
    """The body is none that this subscription can read; the message says why."""


class WrongSenderError(ValueError):
    """The Authorization header does not show who sends; the message says why."""


@dataclass(frozen=True)
class Keys:
    """The secret half of a subscription. `auth` has 16 bytes."""

    private: ec.EllipticCurvePrivateKey
    auth: bytes

    @property
    def public(self) -> bytes:
        """The uncompressed point that senders are given."""
        return point(self.private.public_key())

    def open(self, body: bytes) -> bytes:
        """The plain text of one `aes128gcm` body of one record. Raises `NotOpenedError`."""
        if len(body) < HEADER_BYTES + TAG_BYTES + 1 or body[SALT_BYTES + 4] != KEY_BYTES:
            raise NotOpenedError("the header of aes128gcm with the sender's 65-byte key is missing")
        salt, sender = body[:SALT_BYTES], body[HEADER_BYTES - KEY_BYTES : HEADER_BYTES]
        try:
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        except ValueError as wrong:
            raise NotOpenedError("the sender's key is no point of P-256") from wrong
        shared = self.private.exchange(ec.ECDH(), theirs)
        secret = _derived(self.auth, shared, b"WebPush: info\x00" + self.public + sender, 32)
        key = _derived(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _derived(salt, secret, b"Content-Encoding: nonce\x00", 12)
        try:
            padded = AESGCM(key).decrypt(nonce, body[HEADER_BYTES:], None)
        except InvalidTag as wrong:
            raise NotOpenedError("it was encrypted for other keys, or changed on the way") from wrong
        text, delimiter, _ = padded.rstrip(b"\x00").rpartition(b"\x02")
        if not delimiter or not padded.rstrip(b"\x00").endswith(b"\x02"):
            raise NotOpenedError("the last record does not end in the delimiter 2")
        return text


def sender_of(authorization: str, origin: str, wall: float) -> str:
    """The sender's public key (base64url) from `vapid t=..., k=...`, when the token holds for `origin` now. Raises `WrongSenderError`."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
        raise WrongSenderError("Authorization must be: vapid t=<token>, k=<public key>")
    signed, _, signature = parts["t"].rpartition(".")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpadded(parts["k"]))
        raw = unpadded(signature)
        key.verify(encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])), signed.encode(), ec.ECDSA(hashes.SHA256()))
        claims: dict[str, Any] = msgspec.json.decode(unpadded(signed.partition(".")[2]), type=dict[str, Any])
    except (ValueError, InvalidSignature) as wrong:
        raise WrongSenderError(f"the token does not hold: {type(wrong).__name__}") from wrong
    expires = claims.get("exp", 0)
    if claims.get("aud") != origin:
        raise WrongSenderError(f"aud must be {origin}")
    if not isinstance(expires, int | float) or not wall < expires <= wall + LIFE_SECONDS_MAX:
        raise WrongSenderError("exp must lie in the next 24 hours")
    return parts["k"]


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as an uncompressed point."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def unpadded(text: str) -> bytes:
    """Bytes of base64url without padding. Raises `ValueError`."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as wrong:
        raise ValueError("no base64url") from wrong


def padless(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
