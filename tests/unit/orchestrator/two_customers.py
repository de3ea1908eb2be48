"""Two customers in one house, and the two words of their merge, each read when a test says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from nextwave_contracts.customers import CustomerAbsorbed, CustomersMerged
from nextwave_orchestrator.catalogue import Catalogue
from nextwave_runtime.application import Timer
from unit.orchestrator.decision_world import CUSTOMER, House, campaign, catalogue, snapshot, wave

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OTHER = "c-0"
TWO_WAVES = (wave("tell", "email"), wave("again", "email", enter={"after": "tell", "unless": "responded"}))
WINTER = catalogue(campaign("winter", *TWO_WAVES))
BILLS = catalogue(campaign("bills", *TWO_WAVES, entry={"on": {"event": "payment.failed"}, "key": "order_id"}))


def house_of(rules: Catalogue = WINTER) -> House:
    return House(rules)


def as_other(house: House, kind: str, at: datetime | None = None, **data: Any) -> list[Any]:
    """A touchpoint of the other customer."""
    mine, house.profile = house.profile, snapshot(customer_id=OTHER)
    said = house.touch(kind, at, **data)
    house.profile = mine
    return said


def told(house: House) -> None:
    """The survivor hears of the merge; what the absorbed customer had has not come yet."""
    house.profile = replace(house.profile, version=house.profile.version + 1, absorbed=(OTHER,))
    house.take(CustomersMerged(customer_id=CUSTOMER, absorbed=OTHER, at=house.now, profile=house.profile))


def absorbed(house: House) -> list[Any]:
    """The absorbed customer hears of it; what it had is on its way."""
    return house.take(CustomerAbsorbed(customer_id=OTHER, into=CUSTOMER, at=house.now))


def hold_back(house: House, kind: str) -> list[Timer]:
    """Takes timers of a kind out, for instance because their partition stands still."""
    held = [timer for timer in house.timers if timer.kind == kind]
    house.timers = [timer for timer in house.timers if timer.kind != kind]
    return held
