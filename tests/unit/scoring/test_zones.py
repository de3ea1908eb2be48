"""Candidate time zones: explicit beats address beats phone, and several stay several."""

from __future__ import annotations

from typing import Any

from nextwave_scoring.profile.zones import candidate_zones, zones_of_country

from .making import folded, touchpoint


def zones(**traits: Any) -> tuple[str, ...]:
    return candidate_zones(folded([touchpoint("customer.identified", names=("customer_id:7",), **traits)]))


def test_what_the_customer_said_beats_where_they_live_and_their_phone() -> None:
    assert zones(timezone="Asia/Tokyo", address={"country": "DE"}, phone="+12125550100") == ("Asia/Tokyo",)


def test_where_they_live_beats_the_phone() -> None:
    assert zones(address={"country": "de"}, phone="+12125550100") == ("Europe/Berlin",)


def test_a_phone_prefix_is_the_last_resort() -> None:
    assert zones(phone="+12125550100") == ("America/New_York",)


def test_a_state_in_two_zones_stays_in_two() -> None:
    assert zones(address={"country": "US", "state": "TX"}) == ("America/Chicago", "America/Denver")


def test_a_country_without_a_state_keeps_all_its_zones() -> None:
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones(address={"country": "US"}))


def test_a_zone_that_does_not_exist_is_not_believed() -> None:
    assert zones(timezone="Moon/Base", address={"country": "FR"}) == ("Europe/Paris",)


def test_nothing_known_is_no_zone() -> None:
    assert zones() == ()
    assert zones_of_country("ZZ") == ()
