"""DKIM signatures of our mails (RFC 6376, rsa-sha256, relaxed/relaxed), so that receivers know that the domain sent them. Pure."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

KEY_BITS_MIN = 2048
SIGNED = (
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
    "list-unsubscribe", "list-unsubscribe-post", "x-nextwave-action",
)  # fmt: skip
"""Headers that are signed. RFC 8058 wants both of List-Unsubscribe among them."""
ONCE = ("from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post")
"""Signed once more than they stand in the mail, so that nobody adds a second one (RFC 6376, 8.15)."""
_SPACE = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs for one domain with the key whose public half stands in the DNS at `selector._domainkey.domain`.

    `rewritten`: headers that the server which takes our mails writes anew (lower case); a signature over them would not hold.
    """

    domain: str
    selector: str
    key: RSAPrivateKey
    rewritten: frozenset[str] = frozenset()

    def sign(self, mail: bytes, at: datetime) -> bytes:
        """The mail (lines end in CRLF) with a DKIM-Signature before it."""
        head, _, body = mail.partition(b"\r\n\r\n")
        headers = [_canonical(line) for line in _FOLD.sub(b" ", head).split(b"\r\n")]
        kept = [name for name in SIGNED if name not in self.rewritten]
        present = [name for name in kept if any(header.startswith(name.encode() + b":") for header in headers)]
        names = [*present, *(name for name in ONCE if name in present)]
        hashed = b64encode(hashlib.sha256(canonical_body(body)).digest()).decode()
        tags = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};",
            f"t={int(at.timestamp())}; bh={hashed};",
            f"h={':'.join(names)};",
            "b=",
        )
        unsigned = ("DKIM-Signature: " + "\r\n ".join(tags)).encode()
        signed = [next(header for header in headers if header.startswith(name.encode() + b":")) for name in present]
        text = b"".join(header + b"\r\n" for header in signed) + _canonical(_FOLD.sub(b"", unsigned))
        signature = b64encode(self.key.sign(text, PKCS1v15(), SHA256())).decode()
        folded = "\r\n ".join(signature[n : n + 72] for n in range(0, len(signature), 72))
        return unsigned + folded.encode() + b"\r\n" + mail


def read_key(pem: str) -> RSAPrivateKey:
    """An RSA private key of at least 2048 bits, PEM. Raises `ValueError`."""
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS_MIN:
        raise ValueError(f"the DKIM key must be an RSA key of at least {KEY_BITS_MIN} bits")
    return key


def canonical_body(body: bytes) -> bytes:
    """Relaxed: runs of blanks are one blank, none at the end of a line, no empty lines at the end (RFC 6376, 3.4.4)."""
    lines = [_SPACE.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _canonical(header: bytes) -> bytes:
    """Relaxed (RFC 6376, 3.4.2); the header is unfolded already."""
    name, _, value = header.partition(b":")
    return name.strip().lower() + b":" + _SPACE.sub(b" ", value).strip()
