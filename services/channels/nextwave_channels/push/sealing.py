"""What a push service demands of a message: its body sealed for one browser (RFC 8291) and the sender's signed word (RFC 8292). Pure.

The one-time key and the salt come from the caller.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BODY_MAX = 4096
"""What every push service takes (RFC 8030, 7.2)."""
SALT_BYTES, POINT_BYTES, AUTH_BYTES, TAG_BYTES = 16, 65, 16, 16
TEXT_MAX = BODY_MAX - (SALT_BYTES + 4 + 1 + POINT_BYTES) - TAG_BYTES - 1
"""Bytes of text that fit one record: 3993."""
WORD_SECONDS = 12 * 3600.0
"""How long a signed word holds; push services refuse more than 24 hours."""
_CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class Recipient:
    """One browser's subscription. `point` has 65 bytes (`p256dh`), `auth` has 16."""

    endpoint: str
    point: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """Our VAPID key, and whom a push service may turn to (`mailto:` or `https:`)."""

    key: ec.EllipticCurvePrivateKey
    contact: str

    @property
    def public(self) -> str:
        """What pages subscribe with (`applicationServerKey`)."""
        return unpadded(point_of(self.key.public_key()))

    def word(self, endpoint: str, wall: float) -> str:
        """The Authorization header of a message to this endpoint."""
        target = urlsplit(endpoint)
        claims = {"aud": f"{target.scheme}://{target.netloc}", "exp": int(wall + WORD_SECONDS), "sub": self.contact}
        signed = ".".join(unpadded(msgspec.json.encode(part)) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"vapid t={signed}.{unpadded(r.to_bytes(32) + s.to_bytes(32))}, k={self.public}"


def sender(secret: str, contact: str) -> Sender:
    """From the private key's 32 bytes in base64url. Raises `ValueError`."""
    raw = opened(secret)
    if len(raw) != 32:
        raise ValueError("a VAPID private key is 32 bytes in base64url")
    return Sender(ec.derive_private_key(int.from_bytes(raw), _CURVE), contact)


def seal(text: bytes, recipient: Recipient, once: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """One `aes128gcm` record that only this browser can read. Raises `ValueError` when the text or the browser's key is none that fits."""
    if len(text) > TEXT_MAX:
        raise ValueError(f"a push message has at most {TEXT_MAX} bytes, this one {len(text)}")
    public = point_of(once.public_key())
    shared = once.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, recipient.point))
    secret = _derived(recipient.auth, shared, b"WebPush: info\x00" + recipient.point + public, 32)
    key = _derived(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(salt, secret, b"Content-Encoding: nonce\x00", 12)
    header = salt + BODY_MAX.to_bytes(4) + bytes([len(public)]) + public
    return header + AESGCM(key).encrypt(nonce, text + b"\x02", None)


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def unpadded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def opened(text: str) -> bytes:
    """Bytes of base64url, with or without padding. Raises `ValueError`."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except binascii.Error as wrong:
        raise ValueError("no base64url") from wrong


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
