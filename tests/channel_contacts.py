"""Contacts for tests of the channels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nextwave_contracts.actions import Contact, Content, Span

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def a_contact(**changes: Any) -> Contact:
    """A marketing e-mail to Ann, permitted around noon, unless `changes` say otherwise."""
    known: dict[str, Any] = {
        "action_id": "action-1",
        "decision_id": "decision-1",
        "customer_id": "customer-1",
        "campaign": "renewal",
        "version": 1,
        "wave": "tell",
        "run_id": "run-1",
        "segment": "*",
        "channel": "email",
        "purpose": "marketing",
        "address": "ann@example.com",
        "content": Content(text="Hello Ann", subject="Hello"),
        "subjects": ("hash-ann-mail", "hash-ann-id"),
        "permitted": (Span(start=NOON - HOUR, end=NOON + 8 * HOUR), Span(start=NOON + DAY, end=NOON + DAY + HOUR)),
        "decided_at": NOON - HOUR,
        "not_after": NOON + 2 * DAY,
        "cost": 3,
    }
    return Contact(**{**known, **changes})
