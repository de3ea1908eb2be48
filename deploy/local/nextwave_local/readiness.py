"""Whether a process of the stack takes requests."""

from __future__ import annotations

import httpx


def is_ready(url: str) -> bool:
    """Asks it, once."""
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
