"""Candidate time zones: explicit beats address beats phone, and several stay several."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pytest
from nextwave_scoring.profile.zones import candidate_zones, zones_of_country, zones_of_phone
from phonenumbers import timezone

from .making import folded, touchpoint


def zones(**traits: Any) -> tuple[str, ...]:
    return candidate_zones(folded([touchpoint("customer.identified", names=("customer_id:7",), **traits)]))


def test_what_the_customer_said_beats_where_they_live_and_their_phone() -> None:
    assert zones(timezone="Asia/Tokyo", address={"country": "DE"}, phone="+12125550100") == ("Asia/Tokyo",)


def test_where_they_live_beats_the_phone() -> None:
    assert zones(address={"country": "de"}, phone="+12125550100") == ("Europe/Berlin",)


def test_the_place_of_a_phone_number_is_the_last_resort() -> None:
    assert zones(phone="+12125550100") == ("America/New_York",)
    assert zones(phone="+61893001234") == ("Australia/Adelaide", "Australia/Perth")


@pytest.mark.parametrize("number", ["+61412345678", "+79161234567", "+34612345678", "+97688123456", "+18005551234"])
def test_a_mobile_number_without_a_place_may_be_in_every_zone_of_its_country(number: str) -> None:
    """Else a customer in Perth is texted at six in the morning, by Sydney's clock."""
    assert set(zones_of_phone(number)) == set(timezone.time_zones_for_number(phonenumbers.parse(number)))


def test_what_is_no_number_is_anywhere_in_its_country_and_without_a_country_nowhere() -> None:
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones_of_phone("+15550100"))
    assert zones_of_phone("+99999") == zones_of_phone("+80012345678") == ()


def test_a_state_in_two_zones_stays_in_two() -> None:
    assert zones(address={"country": "US", "state": "TX"}) == ("America/Chicago", "America/Denver")


def test_a_country_without_a_state_keeps_all_its_zones() -> None:
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones(address={"country": "US"}))


def test_a_zone_that_does_not_exist_is_not_believed() -> None:
    assert zones(timezone="Moon/Base", address={"country": "FR"}) == ("Europe/Paris",)


def test_nothing_known_is_no_zone() -> None:
    assert zones() == ()
    assert zones_of_country("ZZ") == ()
