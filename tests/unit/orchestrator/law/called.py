"""Somebody whom laws may bind, for the tests of limits by law."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from nextwave_contracts.customers import Consent, ContactPoint, Snapshot
from unit.orchestrator.decision_world import MONDAY_NOON, snapshot

LONG_AGO = MONDAY_NOON - timedelta(days=90)
ANYTHING = Consent(channel="", purpose="", granted=True, at=LONG_AGO)


def person(country: str = "FR", region: str = "", phone: str = "+33612345678", **more: Any) -> Snapshot:
    """Somebody who may be called and texted, and agreed to everything without a word about calls."""
    points = tuple(ContactPoint(channel=channel, address=phone) for channel in ("call", "sms") if phone)
    mail = ContactPoint(channel="email", address="ann@example.com")
    known: dict[str, Any] = {"contact_points": (*points, mail), "zones": ("Europe/Paris",), "consents": (ANYTHING,)}
    return snapshot(country=country, region=region, **{**known, **more})
