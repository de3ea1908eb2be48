"""What a source's keys let it do: which types it reports, from whose pages, and how fast. Whose keys say nothing may do anything."""

from __future__ import annotations

import math
from collections.abc import Callable
from shlex import quote
from time import monotonic

from nextwave_contracts.holds import Hold
from nextwave_runtime.auth import Keyring, Rate
from nextwave_runtime.problem import Problem

from nextwave_ingest.admission import RefusedError
from nextwave_ingest.stops import STOPPING, STOPS

RETRY_SECONDS_MAX = 300
"""Clients of the Segment protocol wait no longer, and give up after some attempts: so long a wait is said in steps."""


class Bucket:
    """How much of a rate is left, as the instant at which it will be full again (seconds of any steady clock)."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._full_at = -math.inf

    def take(self, items: int, now: float) -> float:
        """Takes the items and returns 0, or takes none and returns in how many seconds to ask again.

        A request of more than the burst is taken when the bucket is full, and is paid for by those behind it: it can never fit.
        """
        left = self.rate.burst - max(0.0, self._full_at - now) * self.rate.per_second
        missing = min(items, self.rate.burst) - left
        if missing > 0:
            return missing / self.rate.per_second
        self._full_at = max(self._full_at, now) + items / self.rate.per_second
        return 0.0


class Allowances:
    """What the key file says of each source, and how much of its rate is left at this replica."""

    def __init__(self, keyring: Keyring, steady: Callable[[], float] = monotonic) -> None:
        self._keyring = keyring
        self._steady = steady
        self._buckets: dict[str, Bucket] = {}

    def check_origin(self, source: str, origin: bytes) -> None:
        """Raises a 403 `Problem` for a page that may not use this source's keys. Whatever is no page says no origin."""
        key = self._keyring.source(source) if origin else None
        if key is not None and key.origins and origin.decode("latin-1") not in key.origins:
            raise Problem(
                403, "origin-not-allowed", "this write key is for other pages; `nextwave keys change write NAME --origins` names them all"
            )

    def spend(self, source: str, items: int) -> None:
        """Counts a request's items. Raises a 429 `Problem` beyond the source's rate."""
        key = self._keyring.source(source)
        if key is None or key.rate is None:
            return
        bucket = self._buckets.get(source)
        if bucket is None or bucket.rate != key.rate:
            bucket = self._buckets[source] = Bucket(key.rate)
        if seconds := bucket.take(items, self._steady()):
            detail = f"this source may send {key.rate.per_second:g} items a second, {key.rate.burst} at once; send the same again later"
            raise Problem(429, "rate-exceeded", detail, retry_after_seconds=min(math.ceil(seconds), RETRY_SECONDS_MAX))

    def types(self, source: str) -> tuple[str, ...]:
        """What the source may report; nothing said: everything."""
        key = self._keyring.source(source)
        return () if key is None else key.types


_NOT_ALLOWED = "this source may report {} only; use a key that may, or add the type: `nextwave keys change write NAME --add-types {}`"


def may_stop(types: tuple[str, ...], holds: tuple[Hold, ...]) -> bool:
    """Whether a touchpoint of another type is taken for the stop that it is.

    A source that may stop contacts by one type could stop the same customers by that: it gains nothing, and no stop is lost for the name of
    its type. A page's key that reports what is seen there may stop nobody. PURE.
    """
    stops = bool(holds) and all(hold.kind in STOPS for hold in holds)
    return stops and any(refused(types, kind) is None for kind in STOPPING)


def refused(types: tuple[str, ...], kind: str) -> RefusedError | None:
    """Why a source that may report these types may not report this one, by its whole name or its subject; or None. PURE."""
    if not types or kind in types or f"{kind.partition('.')[0]}.*" in types:
        return None
    return RefusedError("/type", _NOT_ALLOWED.format(", ".join(types), quote(kind)), "not_allowed")
