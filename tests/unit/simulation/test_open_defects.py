"""What the simulation, or its making, found in the services: each alone and small. A test that passes says that its defect is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from nextwave_contracts.actions import Contact
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, wave

HOUR = timedelta(hours=1)
TWO_WAVES = campaign("winter", wave("tell", "email"), wave("again", "email", enter={"after": "tell", "unless": "responded"}))
open_defect = pytest.mark.xfail(strict=True, reason="an open defect of a service")


@open_defect
def test_a_click_from_a_device_with_a_wrong_clock_is_an_answer() -> None:
    """It came through a door before the window closed. Its time is suspect, so the customer is contacted again all the same."""
    house = House(catalogue(TWO_WAVES))
    house.touch("cart.updated")
    house.touch("page.viewed", MONDAY_NOON + HOUR, suspect=True, path="/renew")
    house.wait(MONDAY_NOON + 50 * HOUR)
    assert len(house.all(Contact)) == 1
