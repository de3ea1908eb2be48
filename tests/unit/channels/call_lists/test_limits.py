"""How often a number and a person are called, and what of it a promise is free from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from channel_contacts import DAY, HOUR, NOON, a_contact
from nextwave_channels import gate
from nextwave_channels.call_lists.limits import OFTEN, Limits, Made
from nextwave_channels.call_lists.promises import is_promise, promised
from nextwave_channels.gate import Claim, Later, Never
from nextwave_contracts.actions import Contact, Span

LIMITS = Limits(per_number=2, per_person=3)
NUMBER = "hash-ann-phone"


def call(**changes: Any) -> Contact:
    return a_contact(**{"channel": "call", "address": "+4915112345678", "address_subject": NUMBER, "list": "renewals", **changes})


def began(*hours_ago: float, number: str = NUMBER, customer: str = "customer-1") -> list[tuple[str, str, datetime]]:
    return [(number, customer, NOON - timedelta(hours=hours)) for hours in hours_ago]


def test_a_number_is_called_so_often_whoever_it_belongs_to_and_whatever_the_campaign() -> None:
    made = Made(began(20, 3, customer="somebody else in the house"))
    assert made.rule(call(campaign="another"), Claim(), LIMITS, NOON) == Later(NOON + 4 * HOUR, OFTEN), "24 hours after the older one"


def test_a_person_is_called_so_often_over_all_their_numbers() -> None:
    made = Made([*began(23, number="a"), *began(22, number="b"), *began(21, number="c")])
    assert made.rule(call(), Claim(), LIMITS, NOON) == Later(NOON + HOUR, OFTEN)
    assert made.rule(call(customer_id="customer-2"), Claim(), LIMITS, NOON) == Claim()


def test_calls_of_one_claim_count_for_each_other() -> None:
    made = Made([])
    ruled = [made.rule(call(action_id=name), Claim(), LIMITS, NOON) for name in "abc"]
    assert ruled == [Claim(), Claim(), Later(NOON + DAY, OFTEN)]


def test_who_has_no_room_in_the_hours_that_are_left_is_not_called() -> None:
    short = call(permitted=(Span(start=NOON - HOUR, end=NOON + 3 * HOUR),))
    assert Made(began(20, 3)).rule(short, Claim(), LIMITS, NOON) == Never("withdrawn", "cap")
    assert Made(began(20, 3)).rule(call(not_after=NOON + 4 * HOUR), Claim(), LIMITS, NOON) == Never("withdrawn", "cap")


@pytest.mark.parametrize("ruling", [Later(NOON + HOUR), Never("expired", "expired")])
def test_what_the_gate_does_not_let_through_is_not_counted(ruling: gate.Ruling) -> None:
    made = Made(began(3))
    assert made.rule(call(), ruling, LIMITS, NOON) == ruling
    assert made.rule(call(), Claim(), LIMITS, NOON) == Claim()


def test_a_contact_of_the_build_before_names_no_number_and_is_limited_by_person_alone() -> None:
    assert Made(began(1, 2, number="")).rule(call(address_subject=""), Claim(), LIMITS, NOON) == Claim()


def test_a_promise_is_a_service_call_of_its_own_at_the_hour_that_was_asked_for() -> None:
    contact = promised(call(attempts=3, attempt=2), NOON + 2 * HOUR, NOON)
    assert contact is not None
    assert (contact.purpose, contact.attempts, contact.attempt) == ("service", 1, 1)
    assert contact.action_id != "action-1"
    assert contact.run_id != "run-1", "what ends the run does not take the promise back"
    assert (is_promise(contact), is_promise(call())) == (True, False)
    again = promised(contact, NOON + 3 * HOUR, NOON)
    assert again is not None
    assert (again.action_id.count(":callback:"), again.run_id.count(":callback:")) == (1, 1)
    assert promised(call(purpose="recovery"), NOON + HOUR, NOON).purpose == "recovery"  # type: ignore[union-attr]


def test_a_promise_is_kept_however_often_the_customer_was_called_and_counts() -> None:
    made = Made(began(1, 2))
    contact = promised(call(), NOON + HOUR, NOON)
    assert contact is not None
    assert made.rule(contact, Claim(), LIMITS, NOON) == Claim()
    assert made.rule(call(address_subject="another"), Claim(), LIMITS, NOON) == Later(NOON + DAY, OFTEN), "the next hours after 22"


@pytest.mark.parametrize(
    ("hours", "why"),
    [(-1, "it is over"), (0, "it is now"), (10, "at night"), (25, "an hour late: the second span is over"), (72, "past its latest time")],
)
def test_no_promise_is_made_for_an_hour_at_which_it_is_not_known_that_the_customer_may_be_called(hours: float, why: str) -> None:
    assert promised(call(), NOON + timedelta(hours=hours), NOON) is None, why
