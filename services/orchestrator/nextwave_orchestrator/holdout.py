"""Who is never contacted, so that what contact is worth can be measured: a salted hash, the same on every replica and for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from nextwave_contracts.decisions import HoldoutOf


def draw(salt: str, scope: str, customer_id: str) -> float:
    """A number in [0, 1), fixed by its arguments: the first 8 bytes of SHA-256 of `salt NUL scope NUL customer`."""
    digest = hashlib.sha256(f"{salt}\0{scope}\0{customer_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def held_out(salt: str, scope: str, customer_id: str, share: float) -> bool:
    """Whether the customer is among the `share` (0..1) held out in `scope` (`*`: by the house, else a campaign's key)."""
    return share > 0 and draw(salt, scope, customer_id) < share


def held_by(salt: str, holdouts: Iterable[tuple[str, float]], customer_id: str) -> HoldoutOf:
    """Whose holdout the customer is in, of these `(scope, share)`: of several the first; empty when in none."""
    found = next((scope for scope, share in holdouts if held_out(salt, scope, customer_id, share)), "")
    return "house" if found == "*" else "campaign" if found else ""
