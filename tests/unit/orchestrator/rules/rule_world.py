"""A customer, her history and the short forms in which the tests of rules write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nextwave_contracts.customers import Churn, ContactPoint, Orders, Snapshot, Value
from nextwave_orchestrator.catalogue import Facts, Happening

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ann(**changes: Any) -> Snapshot:
    known: dict[str, Any] = {
        "customer_id": "c1",
        "version": 3,
        "churn": Churn(risk=0.7, band="high", horizon_days=90, model="rhythm-1"),
        "value": Value(cell="IV", current=90_000, potential=40_000),
        "orders": Orders(count=4, revenue=50_000, last_at=NOW - timedelta(days=40)),
        "activity": {"web": 2.5},
        "contact_points": (ContactPoint(channel="email", address="a@b.c"), ContactPoint(channel="sms", address="+1", bounced=True)),
        "country": "DE",
        "traits": {"plan": "gold", "seats": 7, "vip": True, "address": {"city": "Ulm"}, "tags": ["a", "b"], "since": "2024-02-29"},
    }
    return Snapshot(**(known | changes))


def facts(profile: Snapshot | None = None, *history: Happening) -> Facts:
    return Facts(profile or ann(), history, NOW)


def happening(type_: str, days_ago: float = 0, **data: Any) -> Happening:
    return Happening(type_, NOW - timedelta(days=days_ago), data)


def leaf(path: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": path, "op": op} | ({} if value is None else {"value": value})
