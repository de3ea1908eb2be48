"""What the house says of its business is read as it was written, or refused with the table and the value."""

from __future__ import annotations

import pytest
from nextwave_scoring.assessment import House
from nextwave_scoring.house import HouseError, read_house
from nextwave_scoring.value.assumptions import Economics

WRITTEN = """
[economics]
margin = 0.45
range = ["shoes", "hats"]
cross_chance = {exploration = 0.0, formation = 0.1, stability = 0.3, decline = 0.0}

[lifecycle]
stable_orders = 8

[scale]
tenure = 0.0
"""


def test_what_is_written_counts_and_the_rest_stays() -> None:
    house = read_house(WRITTEN, House(economics=Economics(currency="CHF")))
    assert (house.economics.margin, house.economics.range, house.economics.currency) == (0.45, ("shoes", "hats"), "CHF")
    assert house.economics.cross_chance["stability"] == 0.3
    assert house.economics.basket == Economics().basket
    assert (house.lifecycle.stable_orders, house.lifecycle.formed_orders) == (8, 2)
    assert (house.scale.tenure, house.scale.satisfaction) == (0.0, 0.3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[economics", "no TOML"),
        ("[money]\nmargin = 1", "table money"),
        ("economics = 3", "economics must be a table"),
        ("[economics]\nmargins = 0.3", "economics.margins"),
        ("[economics]\ncurrency = 'USD'", "economics.currency"),
        ("[economics]\nmargin = 'high'", r"margin"),
        ("[lifecycle]\nstable_orders = 1.5", r"stable_orders"),
        ("[scale]\ntenure_full_days = 'long'", r"tenure_full_days"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(HouseError, match=named):
        read_house(text, House())
