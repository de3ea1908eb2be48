"""A shop of a few visitors, and a short day of calls: what the demo's tests play with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from nextwave_local.demo.datasets import Row, Slot
from nextwave_local.demo.items import Item

BEGIN = datetime(2024, 1, 8, 9, tzinfo=UTC)
"""A Monday."""
CURVE = [Slot(540, 60.0), Slot(545, 30.0), Slot(550, 10.0)]


def row(number: int, event: str, *, user: str = "user_0001", platform: str = "desktop", minutes: float = 0.0) -> Row:
    """One event of a visitor, `minutes` after the beginning."""
    at = BEGIN + timedelta(minutes=minutes)
    return Row(number=number, user=user, session="s", event=event, at=at, platform=platform, acquisition="organic", cohort="2024-01")


def visits(users: int, each: int) -> list[Row]:
    """Visitors with events of every kind, in event-time order."""
    kinds = ("home", "catalog", "product_view", "add_to_cart", "shipping_details", "payment_error", "purchase", "support_chat")
    return [
        row(number * users + user, kinds[(number + user) % len(kinds)], user=f"user_{user:04d}", minutes=600.0 * number + user)
        for number in range(each)
        for user in range(users)
    ]


def body(item: Item) -> dict[str, Any]:
    """What is posted."""
    decoded: dict[str, Any] = msgspec.json.decode(item.body)
    return decoded
