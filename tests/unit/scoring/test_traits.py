"""Traits: the newest value of each, bounded, and the quiet hours that the gate reads."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_orchestrator.candidate import own_quiet_hours
from nextwave_scoring.profile import view
from nextwave_scoring.profile.merge import merge

from .making import folded, touchpoint

NIGHT = [["22:00", "08:00"]]


def traits(*said: dict[str, Any]) -> dict[str, Any]:
    return view.traits(folded([touchpoint("preference.changed", after=n, **data) for n, data in enumerate(said)]))


def test_quiet_hours_that_a_customer_gave_are_those_that_the_gate_reads() -> None:
    assert own_quiet_hours(traits({"quiet_hours": NIGHT})) == (("22:00", "08:00"),)


def test_what_is_no_pair_of_times_is_left_out_and_pairs_are_bounded() -> None:
    written = [*NIGHT, ["x"], 7, ["25:00", "26:00"], [1, 2], "09:00", ["7:30", "24:00"]]
    assert traits({"quiet_hours": written}) == {"quiet_hours": [*NIGHT, ["7:30", "24:00"]]}
    assert len(traits({"quiet_hours": NIGHT * 1000})["quiet_hours"]) == 8


@pytest.mark.parametrize("nonsense", ["always", 7, None, [["x"]], {"22:00": "08:00"}])
def test_what_says_nothing_of_hours_does_not_take_back_those_known(nonsense: object) -> None:
    assert traits({"quiet_hours": NIGHT}, {"quiet_hours": nonsense}) == {"quiet_hours": NIGHT}


def test_an_empty_list_takes_quiet_hours_back() -> None:
    assert own_quiet_hours(traits({"quiet_hours": NIGHT}, {"quiet_hours": []})) == ()


def test_no_number_of_newer_traits_crowds_quiet_hours_out() -> None:
    known = traits({"quiet_hours": NIGHT}, {f"trait{n}": n for n in range(100)})
    assert known["quiet_hours"] == NIGHT
    assert len(known) == 25


def test_a_merge_keeps_the_newer_quiet_hours() -> None:
    older = folded([touchpoint("customer.identified", after=1, quiet_hours=NIGHT)])
    newer = folded([touchpoint("customer.identified", after=2, quiet_hours=[["12:00", "14:00"]])])
    assert view.traits(merge(older, newer)) == view.traits(merge(newer, older)) == {"quiet_hours": [["12:00", "14:00"]]}
