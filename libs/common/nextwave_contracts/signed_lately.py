"""How old a signed request may be. Pure."""

from __future__ import annotations

SIGNED_SECONDS = 86_400.0
"""How far a signed time may be from now: longer than providers try again, and shorter than repeats are remembered (30 days)."""


def signed_lately(stamp: str, wall: float, seconds: float = SIGNED_SECONDS) -> bool:
    """Whether Unix seconds, as a header or body writes them, are at most `seconds` from now."""
    return stamp.isascii() and stamp.isdigit() and abs(wall - float(stamp[:15])) <= seconds
