"""Subscriptions as browsers give them: whether the endpoint is one that may be called, and the keys are keys. Pure."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from nextwave_channels import destinations
from nextwave_channels.push.sealing import AUTH_BYTES, POINT_BYTES, Recipient, opened

ENDPOINT_MAX = 2048


class UnusableError(ValueError):
    """The subscription is none that can be sent to. `pointer` names the field."""

    def __init__(self, pointer: str, why: str) -> None:
        super().__init__(why)
        self.pointer = pointer


def recipient(endpoint: str, p256dh: str, auth: str, *, loopback: bool) -> Recipient:
    """Where its host is, is looked at when it is called. `loopback`: also push services on this machine. Raises `UnusableError`."""
    fault = destinations.fault_of(endpoint, loopback=loopback)
    if not fault and len(endpoint) > ENDPOINT_MAX:
        fault = f"it must have at most {ENDPOINT_MAX} characters"
    if fault:
        raise UnusableError("/endpoint", f"endpoint: {fault}")
    try:
        point, secret = opened(p256dh), opened(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as wrong:
        raise UnusableError("/keys", "p256dh must be a point of P-256, and both base64url, as the browser gives them") from wrong
    if len(point) != POINT_BYTES or len(secret) != AUTH_BYTES:
        raise UnusableError("/keys", f"p256dh must have {POINT_BYTES} bytes and auth {AUTH_BYTES}, in base64url")
    return Recipient(endpoint, point, secret)
